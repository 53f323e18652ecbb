/* SPDX-License-Identifier: MIT */
/* The one list of what this daemon hosts. */
#ifndef SERVICES_SERVICES_H
#define SERVICES_SERVICES_H

#include "core/service.h"

/* The built-in services in the order of start; ends with NULL. */
extern const struct service_ops *const services_builtin[];

#endif
