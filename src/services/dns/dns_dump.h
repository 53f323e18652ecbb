/* SPDX-License-Identifier: MIT */
/* What is cached, as reports: one entry, or a slice of all of them. */
#ifndef SERVICES_DNS_DUMP_H
#define SERVICES_DNS_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/report.h"
#include "services/dns/dns_cache.h"
#include "services/dns/dns_routes.h"
#include "util/err.h"
#include "util/mono.h"

/* An entry without its records. rs tells which zone a route is for. */
void dns_dump_entry(const struct dns_entry_info *info, const struct dns_routes *rs,
    struct report *out);

/*
 * Report the next entries, records included, as many as a turn of the loop has time for.
 *
 * cursor  0 at first
 * more    there may be some behind them
 * errors  ERR_NOMEM
 */
enum err dns_dump_slice(const struct dns_cache *c, const struct dns_routes *rs, uint32_t *cursor,
    mono_us now, struct report *list, bool *more) MUST_CHECK;

#endif
