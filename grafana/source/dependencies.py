"""What Microblog stands on: database, broker, web server, disks, processor, memory.

The first rows need nothing but Microblog's own metrics. The others show what the exporters of the dependencies
tell, and stay empty without them.
"""

from model import INSTANCE, SERVICE, Dashboard, Limits, Panel, Query, Row
from queries import total

RABBITMQ = "RabbitMQ's own exporter: `rabbitmq-plugins enable rabbitmq_prometheus`, port 15692"
POSTGRES = "postgres_exporter, port 9187"
NGINX = "nginx-prometheus-exporter, port 9113, and `stub_status`"
NODE = "node_exporter, port 9100"
#: File systems of disks: others are in memory, or show a disk a second time.
DISKS = 'fstype!~"tmpfs|overlay|squashfs|ramfs"'

SEEN = Row(
    "As Microblog sees it",
    5,
    (
        Panel(
            "state-timeline", "Dependencies", "short",
            (Query(f"min by (dependency) (microblog_dependency_up{{{INSTANCE}}})", "{{dependency}}"),),
            "Whether each works, as the worst of all processes sees it. Normal: green. Storage is the folders of uploads and releases.",
            Limits.one(), "microblog_dependency_up", 8, names={0: "down", 1: "up"},
        ),
        Panel(
            "bargauge", "Free space", "percentunit",
            (
                Query(
                    f"min by (volume) (microblog_disk_free_bytes{{{INSTANCE}}} / microblog_disk_total_bytes{{{INSTANCE}}})",
                    "{{volume}}",
                ),
            ),
            "By volume: build holds releases, data uploads. Normal: above 20 %. Full: edits are refused with 507, readers keep their site.",
            Limits.below(0.2, 0.1), "microblog_disk_free_bytes", 6, most=1,
        ),
        Panel(
            "stat", "Full in, at this rate", "s",
            (
                Query(
                    f"min by (volume) (microblog_disk_free_bytes{{{INSTANCE}}}"
                    f" / clamp_min(-deriv(microblog_disk_free_bytes{{{INSTANCE}}}[6h]), 1))",
                    "{{volume}}",
                ),
            ),
            "Free space through what was used of it in six hours. Normal: more than a week. Very large: it does not shrink.",
            Limits.below(604_800, 86_400), "microblog_disk_free_bytes", 5,
        ),
        Panel(
            "stat", "Certificate valid for", "s",
            (Query(f"min by (host) (microblog_certificate_expiry_timestamp_seconds{{{SERVICE}}}) - time()", "{{host}}"),),
            "Until the certificate of the public address ends. Normal: more than 14 days; an alert fires below.",
            Limits.below(1_209_600, 259_200), "microblog_certificate_expiry_timestamp_seconds", 5,
            needs="an https `site.base_url`",
        ),
    ),
)

PROCESSES = Row(
    "Processes of Microblog",
    8,
    (
        Panel(
            "timeseries", "Processor", "percentunit",
            (Query(f'rate(process_cpu_seconds_total{{job=~"$job",{INSTANCE}}}[$__rate_interval])', "{{job}} {{instance}}"),),
            "100 % is one core. Normal: under 10 % at rest; builders use all cores while a whole site is built.",
            Limits.above(0.8, 2), "process_cpu_seconds_total", 6,
        ),
        Panel(
            "timeseries", "Memory", "bytes",
            (Query(f'process_resident_memory_bytes{{job=~"$job",{INSTANCE}}}', "{{job}} {{instance}}"),),
            "Resident. Normal: level; 20 to 80 MB, and 500 MB for a site of 100,000 posts, which the builder keeps in memory. Growing for days: a leak.",
            Limits.above(1_000_000_000, 1_500_000_000), "process_resident_memory_bytes", 6,
        ),
        Panel(
            "timeseries", "Running for", "s",
            (Query(f'time() - process_start_time_seconds{{job=~"$job",{INSTANCE}}}', "{{job}} {{instance}}"),),
            "Normal: since the last update. A saw: it is started again and again; the log says why it ended.",
            Limits.below(600, 60), "process_start_time_seconds", 6,
        ),
        Panel(
            "timeseries", "Lines of logs and spans of traces lost", "short",
            (
                Query(total("microblog_log_lines_dropped_total", "5m"), "log lines"),
                Query(total("microblog_trace_spans_dropped_total", "5m"), "spans"),
            ),
            "In five minutes. Normal: 0. Lines: the folder of logs is full or gone. Spans: the collector is away.",
            Limits.above(1, 100), "microblog_log_lines_dropped_total", 6,
            needs="a folder of logs (`log.dir`) for lines, a collector (`otlp.endpoint`) for spans",
        ),
        Panel(
            "state-timeline", "Ready", "short",
            (Query(f'min by (job, instance) (microblog_ready{{job=~"$job",{INSTANCE}}})', "{{job}} {{instance}}"),),
            "Whether each can do its work. Normal: green; a gap is a restart. Not ready: `/health/ready` says what it lacks. A builder "
            "without a broker is not, and does its work all the same.",
            Limits.one(), "microblog_ready", 8, names={0: "not ready", 1: "ready"},
        ),
        Panel(
            "timeseries", "Threads busy", "percentunit",
            (Query(f'microblog_runtime_busy_ratio{{job=~"$job",{INSTANCE}}}', "{{job}} {{instance}}"),),
            "Share of the time that the threads for requests and tasks had something to do. Normal: under 50 %. Near 100 % everything "
            "waits. Builds and passwords have threads of their own.",
            Limits.above(0.7, 0.9), "microblog_runtime_busy_ratio", 8, most=1,
        ),
        Panel(
            "timeseries", "Connections of clients", "short",
            (Query(f'microblog_http_connections{{job=~"$job",{INSTANCE}}}', "{{job}} {{instance}}"),),
            "Open ones, idle ones among them. Normal: under 200. At 4,096 new ones wait and idle ones are closed; the log says so.",
            Limits.above(1000, 4000), "microblog_http_connections", 8,
        ),
    ),
)

DATABASE = Row(
    "PostgreSQL",
    8,
    (
        Panel(
            "timeseries", "Connections", "percentunit",
            (Query("sum by (instance) (pg_stat_activity_count) / max by (instance) (pg_settings_max_connections)", "{{instance}}"),),
            "Share of those the server allows. Normal: under 60 %; each process of Microblog has a pool of its own.",
            Limits.above(0.7, 0.9), "exporters", 6, needs=POSTGRES, most=1,
        ),
        Panel(
            "timeseries", "Longest transaction", "s",
            (Query('max by (datname) (pg_stat_activity_max_tx_duration{datname!~"template.*|"})', "{{datname}}"),),
            "Normal: under 5 s; backups take longer. Long ones keep the server from clearing old rows, and may hold locks.",
            Limits.above(30, 300), "exporters", 6, needs=POSTGRES,
        ),
        Panel(
            "timeseries", "Transactions", "ops",
            (
                Query("sum by (datname) (rate(pg_stat_database_xact_commit[$__rate_interval]))", "{{datname}} committed"),
                Query("sum by (datname) (rate(pg_stat_database_xact_rollback[$__rate_interval]))", "{{datname}} rolled back"),
            ),
            "Normal: 5 to 20/s at rest, since each service looks for jobs once a second; rolled back: almost none.",
            Limits.notice(1000), "exporters", 6, needs=POSTGRES,
        ),
        Panel(
            "timeseries", "Deadlocks", "short",
            (Query("sum by (datname) (increase(pg_stat_database_deadlocks[5m]))", "{{datname}}"),),
            "In five minutes. Normal: 0. The server's log names both statements.",
            Limits.above(1, 5), "exporters", 6, needs=POSTGRES,
        ),
    ),
)

BROKER = Row(
    "RabbitMQ",
    8,
    (
        Panel(
            "timeseries", "Messages at the broker", "short",
            (Query("sum by (instance) (rabbitmq_queue_messages)", "{{instance}}"),),
            "In all queues. Normal: 0 to 5. A hint that waits loses nothing. Level above 0: dead letters, in builds.dead.",
            Limits.above(10, 100), "exporters", 6, needs=RABBITMQ,
        ),
        Panel(
            "timeseries", "Consumers", "short",
            (Query("sum by (instance) (rabbitmq_consumers)", "{{instance}}"),),
            "Normal: one for each builder and one for each API. None: builders look for jobs by themselves, once a second.",
            Limits.one(), "exporters", 6, needs=RABBITMQ,
        ),
        Panel(
            "timeseries", "Memory of what is allowed", "percentunit",
            (
                Query(
                    "max by (instance) (rabbitmq_process_resident_memory_bytes) / max by (instance) (rabbitmq_resident_memory_limit_bytes)",
                    "{{instance}}",
                ),
            ),
            "Normal: under 50 %. At 100 % the broker blocks those who publish, and the circuit breaker opens.",
            Limits.above(0.7, 0.95), "exporters", 6, needs=RABBITMQ, most=1,
        ),
        Panel(
            "timeseries", "Disk above its limit", "bytes",
            (
                Query(
                    "min by (instance) (rabbitmq_disk_space_available_bytes) - max by (instance) (rabbitmq_disk_space_available_limit_bytes)",
                    "{{instance}}",
                ),
            ),
            "Normal: more than 1 GB. At 0 the broker blocks those who publish.",
            Limits.below(1_000_000_000, 200_000_000), "exporters", 6, needs=RABBITMQ,
        ),
    ),
)

WEB_SERVER = Row(
    "nginx",
    7,
    (
        Panel(
            "timeseries", "Requests of readers", "reqps",
            (Query("sum by (instance) (rate(nginx_http_requests_total[$__rate_interval]))", "{{instance}}"),),
            "Normal: as on other days at this hour. The site is files: thousands a second do no harm.",
            Limits.notice(5000), "exporters", 8, needs=NGINX,
        ),
        Panel(
            "timeseries", "Connections of readers", "short",
            (Query("sum by (instance) (nginx_connections_active)", "{{instance}}"),),
            "Normal: under half of `worker_connections` (512 unless set) for each worker.",
            Limits.above(500, 1000), "exporters", 8, needs=NGINX,
        ),
        Panel(
            "timeseries", "Connections dropped", "short",
            (Query("sum by (instance) (increase(nginx_connections_accepted[5m]) - increase(nginx_connections_handled[5m]))", "{{instance}}"),),
            "In five minutes. Normal: 0. More: `worker_connections` or open files are used up.",
            Limits.above(1, 100), "exporters", 8, needs=NGINX,
        ),
    ),
)

MACHINE = Row(
    "Machine",
    8,
    (
        Panel(
            "timeseries", "Processor of the machine", "percentunit",
            (Query('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', "{{instance}}"),),
            "Share of all cores in use. Normal: under 50 %, more while a whole site is built.",
            Limits.above(0.8, 0.95), "exporters", 6, needs=NODE, most=1,
        ),
        Panel(
            "timeseries", "Memory of the machine", "percentunit",
            (Query("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"),),
            "Share in use. Normal: under 80 %. At 100 % the kernel ends processes.",
            Limits.above(0.8, 0.95), "exporters", 6, needs=NODE, most=1,
        ),
        Panel(
            "timeseries", "Disks of the machine", "percentunit",
            (Query(f"1 - node_filesystem_avail_bytes{{{DISKS}}} / node_filesystem_size_bytes{{{DISKS}}}", "{{instance}} {{mountpoint}}"),),
            "Share in use. Normal: under 80 %.",
            Limits.above(0.8, 0.9), "exporters", 6, needs=NODE, most=1,
        ),
        Panel(
            "timeseries", "Disk busy", "percentunit",
            (Query("rate(node_disk_io_time_seconds_total[$__rate_interval])", "{{instance}} {{device}}"),),
            "Share of the time. Normal: under 50 %. Near 100 %, publishing becomes slow: a release waits until the disk has it.",
            Limits.above(0.8, 0.95), "exporters", 6, needs=NODE, most=1,
        ),
    ),
)

DASHBOARD = Dashboard(
    "microblog-dependencies",
    "Microblog / Dependencies and machine",
    "What Microblog stands on. Rows below the second need exporters of their own; each panel says which.",
    (SEEN, PROCESSES, DATABASE, BROKER, WEB_SERVER, MACHINE),
)
