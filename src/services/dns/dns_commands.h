/* SPDX-License-Identifier: MIT */
/* hearthctl dns …: looking into the cache and the upstreams, and flushing. */
#ifndef SERVICES_DNS_COMMANDS_H
#define SERVICES_DNS_COMMANDS_H

#include "core/ctl.h"
#include "services/dns/dns_resolver.h"
#include "util/mono.h"

/*
 * Answer `stats`, `lookup NAME`, `explain NAME [TYPE] [CLIENT]`, `flush NAME [TYPE]`, `flush
 * --all`, `upstreams`. Ends rq.
 */
void dns_command(struct dns_resolver *r, mono_us now, struct ctl_request *rq);

#endif
