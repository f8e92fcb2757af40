"""What the service counts about itself, for Prometheus."""

from functools import partial

import prometheus_client as prometheus

prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library forgot

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


class Metrics:
    """The families of one app, in that app's own registry."""

    def __init__(self) -> None:
        self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        counter = partial(prometheus.Counter, registry=self.registry)
        gauge = partial(prometheus.Gauge, registry=self.registry)
        seconds = partial(prometheus.Histogram, registry=self.registry, buckets=SECONDS)
        shares = partial(prometheus.Histogram, registry=self.registry, buckets=SHARES)

        self.requests = counter("http_requests", "Answers.", ("method", "path", "status"))
        self.request_seconds = seconds("http_request_duration_seconds", "Time to answer.")
        self.sockets = gauge("websocket_sessions", "Open WebSockets.")
        self.documents = counter("documents_uploaded", "Documents uploaded.")
        self.analyses = counter("memory_analysis_requests", "Analyses.", ("outcome",))
        self.analysis_seconds = seconds("memory_analysis_duration_seconds", "Time to analyse.")
        self.cache_hits = counter("memory_analysis_cache_hits", "Texts found in the cache.")
        self.cache_misses = counter("memory_analysis_cache_misses", "Texts not found there.")
        self.cache_size = gauge("memory_analysis_cache_size", "Texts in the cache.")
        self.queued = gauge("memory_analysis_queue_depth", "Jobs that are not done yet.")
        self.preferences = counter("memory_preferences_extracted", "Preferences.", ("kind",))
        self.confidence = shares("memory_preferences_confidence", "How sure of each.")
        self.recalls = counter("concept_recall_detections", "Concepts met again.")
        self.similarity = shares("concept_recall_similarity", "Known share of a text's concepts.")
        for outcome in ("completed", "skipped", "failed"):
            self.analyses.labels(outcome)
        for kind in ("like", "dislike"):
            self.preferences.labels(kind)
