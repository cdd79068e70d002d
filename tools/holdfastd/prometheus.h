/* Metrics in the text format of Prometheus, version 0.0.4: lines of HELP and TYPE, then a sample a
 * line.
 * https://prometheus.io/docs/instrumenting/exposition_formats/ */
#ifndef HOLDFASTD_PROMETHEUS_H
#define HOLDFASTD_PROMETHEUS_H

#include <jansson.h>

/* The same figures as in `metrics` (answer_metrics.h), as one string. What is not there (sessions,
 * the pair) is left out. A new reference; NULL when there is no memory. */
json_t *prometheus_text(const json_t *metrics);

#endif
