"""Where the links of every panel lead.

Whoever keeps runbooks or logs elsewhere changes these two lines and runs generate.py. The address of the runbooks is
the one that `runbooks` in prometheus/prometheus.yml has.
"""

#: The folder docs/runbooks, where people can read it in a browser.
RUNBOOKS = "https://github.com/microblog/microblog/blob/main/docs/runbooks"
#: How to read the logs. With Loki: the address of a query in Grafana's Explore.
LOGS = f"{RUNBOOKS}/monitoring.md#logs"
