/* SPDX-License-Identifier: MIT */
/*
 * A report as metrics: every number becomes hearth_ and the words on the way to it; what stands in a
 * list is told apart by labels. Source: prometheus.io/docs/instrumenting/exposition_formats, 0.0.4.
 */
#ifndef CORE_HTTP_METRICS_H
#define CORE_HTTP_METRICS_H

#include <stddef.h>

#include "core/report_json.h"

/* Give the text, to be freed, and its length; NULL where there is no memory. */
char *http_metrics(const json_t *status, size_t *len);

#endif
