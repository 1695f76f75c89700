"""The way of an edit to readers: outbox, queue, build, release."""

from model import INSTANCE, SERVICE, Dashboard, Limits, Panel, Query, Row
from queries import ONE_SECOND, known, last_build_failed, per_second, publish_quantile, quantile, total, unfinished_builds

BUILD = "microblog_build_duration_seconds"

LIVE = Row(
    "Does what people publish go live?",
    5,
    (
        Panel(
            "stat", "Slowest 1 % to be live", "s", (Query(publish_quantile(0.99, "15m")),),
            "From the commit of an edit to its activation, in fifteen minutes. Normal: well under 1 s.",
            Limits.above(0.5, 1), "microblog_publish_to_live_seconds", 4, nothing="no edits",
        ),
        Panel(
            "stat", "Failed in an hour", "short",
            (Query(total("microblog_builds_total", "1h", selector=f'outcome="failed",{INSTANCE}')),),
            "Builds that failed for good. Normal: 0. Readers keep the release before; the log and the build's page say why.",
            Limits.zero(), "microblog_builds_total", 3,
        ),
        Panel(
            "stat", "Last build", "short", (Query(last_build_failed(), "{{namespace}}"),),
            "Whether the last build that ended was given up. Normal: well.",
            Limits.zero(), "microblog_last_build_failure_timestamp_seconds", 3, names={0: "well", 1: "FAILED"},
        ),
        Panel(
            "stat", "Not finished", "short",
            (Query(unfinished_builds(), "{{state}} {{namespace}}"),),
            "Builds on their way. Normal: 0 or 1 waiting, 0 or 1 running, none retrying.",
            Limits.above(2, 10), "microblog_jobs", 4,
        ),
        Panel(
            "stat", "Since the last release", "s",
            (Query(f"time() - {known('microblog_release_activated_timestamp_seconds')}", "{{namespace}}"),),
            "Age of what readers see. Normal: as old as the last edit. Old while builds wait: see whether a release is pinned.",
            Limits.notice(86400), "microblog_release_activated_timestamp_seconds", 4,
        ),
        Panel(
            "stat", "Since a build", "s",
            (Query(f"time() - {known('microblog_last_build_success_timestamp_seconds')}", "{{namespace}}"),),
            "Since one succeeded. Normal: as old as the last edit, or as the start of the builder. Counts builds that a pin holds back, too.",
            Limits.notice(86400), "microblog_last_build_success_timestamp_seconds", 3,
        ),
        Panel(
            "stat", "Posts set aside", "short", (Query(total("microblog_posts_set_aside_total", "$__range")),),
            "Posts that crashed the renderer in the time shown, and were taken off the site. Normal: 0.",
            Limits.zero(), "microblog_posts_set_aside_total", 3,
        ),
    ),
)

SPEED = Row(
    "How fast?",
    8,
    (
        Panel(
            "timeseries", "Publish to live", "s",
            (
                Query(publish_quantile(0.5, "5m"), "half"),
                Query(publish_quantile(0.95, "5m"), "95 %"),
                Query(publish_quantile(0.99, "5m"), "99 %"),
            ),
            "What half, 95 % and 99 % of the edits stay under. Normal: 0.01 to 0.2 s. Gaps: nobody published.",
            Limits.above(0.5, 1), "microblog_publish_to_live_seconds", 8,
        ),
        Panel(
            "timeseries", "Edits later than a second", "short",
            (
                Query(
                    f"sum(increase(microblog_publish_to_live_seconds_count{{{INSTANCE}}}[5m]))"
                    f" - sum(increase(microblog_publish_to_live_seconds_bucket{{{ONE_SECOND},{INSTANCE}}}[5m]))",
                    "late",
                ),
            ),
            "Edits in five minutes that broke the promise. Normal: 0; some right after a start of the builder, which reads the whole site.",
            Limits.above(1, 5), "microblog_publish_to_live_seconds", 8,
        ),
        Panel(
            "heatmap", "Publish to live, all edits", "ops",
            (Query(per_second("microblog_publish_to_live_seconds_bucket", "le")),),
            "How many edits a second took how long. Normal: one band under 0.5 s; a second band above shows what only some edits meet.",
            Limits.notice(100), "microblog_publish_to_live_seconds", 8,
        ),
    ),
)

BUILDS = Row(
    "Builds",
    8,
    (
        Panel(
            "timeseries", "Builds by outcome", "short",
            (Query(total("microblog_builds_total", "5m", "outcome"), "{{outcome}}"),),
            "Builds that ended, in five minutes. Normal: succeeded; superseded when many publish at once. Failed: 0.",
            Limits.notice(100), "microblog_builds_total", 8, stacked=True,
        ),
        Panel(
            "timeseries", "Where an incremental build spends its time", "s",
            (
                Query(
                    f'sum by (phase) (rate({BUILD}_sum{{mode="incremental",phase!="total",{INSTANCE}}}[5m]))'
                    f' / sum by (phase) (rate({BUILD}_count{{mode="incremental",phase!="total",{INSTANCE}}}[5m]) > 0)',
                    "{{phase}}",
                ),
            ),
            "Mean of each phase. Normal: some milliseconds each; activate waits for the disk. Load grows: the database is slow.",
            Limits.above(0.5, 1), "microblog_build_duration_seconds", 8, stacked=True,
        ),
        Panel(
            "timeseries", "Slow builds", "s",
            (Query(quantile(0.95, BUILD, "15m", "mode", f'phase="total",{INSTANCE}'), "{{mode}} 95 %"),),
            "What 95 % of the builds stay under. Normal: incremental under 0.5 s; full ones after a start or a change of theme "
            "or settings take about 10 s for each 100,000 posts.",
            Limits.above(10, 60), "microblog_build_duration_seconds", 8,
        ),
        Panel(
            "timeseries", "Pages rendered", "short", (Query(total("microblog_build_pages_rendered_total", "5m"), "rendered"),),
            "Pages rendered in five minutes. Normal: some for each edited post; all pages after a change of theme or settings.",
            Limits.notice(10_000), "microblog_build_pages_rendered_total", 6,
        ),
        Panel(
            "timeseries", "Pages reused", "percentunit",
            (
                Query(
                    f"{total('microblog_build_pages_reused_total', '15m')} / ({total('microblog_build_pages_reused_total', '15m')}"
                    f" + {total('microblog_build_pages_rendered_total', '15m')} > 0)",
                    "reused",
                ),
            ),
            "Share of the pages that a build kept. Normal: above 90 % on a site of 1,000 posts. Low for long: what changes touches "
            "every page, such as settings or theme.",
            Limits.below(0.5, 0.1), "microblog_build_pages_reused_total", 6, most=1,
        ),
        Panel(
            "timeseries", "Pictures", "short", (Query(total("microblog_images_total", "5m", "outcome"), "{{outcome}}"),),
            "Pictures of which smaller variants were made, in five minutes. Normal: made follows uploads; set_aside is a broken file, "
            "shown as it was uploaded.",
            Limits.notice(100), "microblog_images_total", 6,
        ),
        Panel(
            "timeseries", "Posts that became public", "short", (Query(total("microblog_posts_published_total", "5m"), "published"),),
            "By hand or at their time, in five minutes. Normal: what people do.",
            Limits.notice(100), "microblog_posts_published_total", 6,
        ),
    ),
)

QUEUE = Row(
    "On the way to the builder",
    8,
    (
        Panel(
            "timeseries", "Builds that wait", "short", (Query(unfinished_builds(), "{{state}} {{namespace}}"),),
            "Normal: one waits while one runs, since edits coalesce. Retrying: what it depends on is away.",
            Limits.above(5, 20), "microblog_jobs", 6,
        ),
        Panel(
            "timeseries", "Outbox", "short", (Query(known("microblog_outbox_pending"), "pending {{namespace}}"),),
            "Messages not handed to the queue yet. Normal: 0 to 5. Grows while the broker is away; nothing is lost. Counted up to 10,000.",
            Limits.above(50, 1000), "microblog_outbox_pending", 6,
        ),
        Panel(
            "timeseries", "Oldest message in the outbox", "s", (Query(known("microblog_outbox_oldest_age_seconds"), "age {{namespace}}"),),
            "Normal: under 1 s. Growing: no relay runs, or the broker takes nothing.",
            Limits.above(10, 60), "microblog_outbox_oldest_age_seconds", 6,
        ),
        Panel(
            "timeseries", "Messages to the broker", "short",
            (Query(total("microblog_queue_publishes_total", "5m", "outcome"), "{{outcome}}"),),
            "In five minutes. Normal: confirmed ones only. Without a broker: 0.",
            Limits.notice(100), "microblog_queue_publishes_total", 6, stacked=True,
        ),
        Panel(
            "timeseries", "Messages set aside", "short",
            (Query(total("microblog_messages_dead_lettered_total", "5m", "reason"), "{{reason}}"),),
            "Messages that nobody understands, now in builds.dead. Normal: 0. Somebody else writes into the queue, or versions do not fit.",
            Limits.above(1, 10), "microblog_messages_dead_lettered_total", 6, needs="a broker (`queue.url`)",
        ),
        Panel(
            "timeseries", "Builds announced again", "short", (Query(total("microblog_builds_announced_again_total", "5m"), "builds"),),
            "Builds whose message was lost at the broker. Normal: 0; some after the broker was restarted.",
            Limits.above(1, 10), "microblog_builds_announced_again_total", 6,
        ),
        Panel(
            "state-timeline", "Connections to the broker", "short",
            (Query(f"microblog_queue_link_up{{{INSTANCE}}}", "{{instance}} {{link}}"),),
            "Whether each connection does its work. Normal: green. A builder has two, an API two, the all-in-one four.",
            Limits.one(), "microblog_queue_link_up", 6, names={0: "down", 1: "up"}, needs="a broker (`queue.url`)",
        ),
        Panel(
            "state-timeline", "Circuit breaker", "short",
            (Query(f'microblog_queue_breaker_state{{state="closed",{INSTANCE}}}', "{{instance}}"),),
            "Whether messages pass to the broker. Normal: closed (green). Open: five batches in a row failed; it tries again by itself.",
            Limits.one(), "microblog_queue_breaker_state", 6, names={0: "open", 1: "closed"}, needs="a broker (`queue.url`)",
        ),
    ),
)

CONTENT = Row(
    "Content",
    6,
    (
        Panel(
            "bargauge", "Posts", "short", (Query(known("microblog_posts", "status"), "{{status}} {{namespace}}"),),
            "Posts by status. Normal: as people left them; unpublishable ones were set aside and wait for their author.",
            Limits.notice(1_000_000), "microblog_posts", 12,
        ),
        Panel(
            "timeseries", "Posts that can not be published", "short",
            (Query(known("microblog_posts", selector=f'status="unpublishable",{SERVICE}'), "{{namespace}}"),),
            "Posts that crash the renderer. Normal: 0. The dashboard of the product names them.",
            Limits.above(1, 5), "microblog_posts_set_aside_total", 12,
        ),
    ),
)

DASHBOARD = Dashboard(
    "microblog-publishing",
    "Microblog / Publishing",
    "The way of an edit to readers: how long it takes, and where it waits.",
    (LIVE, SPEED, BUILDS, QUEUE, CONTENT),
)
