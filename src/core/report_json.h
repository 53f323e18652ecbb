/* SPDX-License-Identifier: MIT */
/* The inside of a report, for those that write it out: the control socket and the metrics page. */
#ifndef CORE_REPORT_JSON_H
#define CORE_REPORT_JSON_H

#include "core/report.h"

#include <jansson.h>

/* Give an empty object, or NULL where there is no memory (which all report_… functions accept). */
struct report *report_new(void);
void report_free(struct report *r);

/* The tree as it stands; borrowed, valid until report_free(). NULL for NULL. */
json_t *report_json(const struct report *r);

#endif
