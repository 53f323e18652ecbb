/* SPDX-License-Identifier: MIT */
/* The DNS service as the daemon sees it. */
#ifndef SERVICES_DNS_SERVICE_H
#define SERVICES_DNS_SERVICE_H

#include "core/service.h"

extern const struct service_ops dns_service_ops;

#endif
