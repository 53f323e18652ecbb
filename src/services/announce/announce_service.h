/* SPDX-License-Identifier: MIT */
/* The announcer as a service of the daemon. */
#ifndef SERVICES_ANNOUNCE_ANNOUNCE_SERVICE_H
#define SERVICES_ANNOUNCE_ANNOUNCE_SERVICE_H

#include "core/service.h"

extern const struct service_ops announce_service_ops;

#endif
