/* SPDX-License-Identifier: MIT */
/*
 * What a service says about itself: a tree of named values, filled by service_ops.report and by
 * commands, printed by hearthctl as key=value lines or JSON and by the metrics page.
 */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "util/addr.h"
#include "util/span.h"

#include <stdbool.h>
#include <stdint.h>

struct report;

/* Without memory values go missing, nothing crashes. Keys: lower case, words joined by _ */
void report_u64(struct report *r, const char *key, uint64_t v);
void report_i64(struct report *r, const char *key, int64_t v);
void report_real(struct report *r, const char *key, double v);
void report_bool(struct report *r, const char *key, bool v);
void report_str(struct report *r, const char *key, const char *v);
/* Bytes from the network: what is not UTF-8 or not printable is escaped as \xNN. */
void report_span(struct report *r, const char *key, struct span v);
void report_addr(struct report *r, const char *key, const struct addr *v);

/* Give an object or a list under key; it belongs to r, needs no closing. In a list, key is NULL. */
struct report *report_object(struct report *r, const char *key);
struct report *report_list(struct report *r, const char *key);

#endif
