/* SPDX-License-Identifier: MIT */
/* The one header that a loaded service includes: <hearth/service.h>. */
#ifndef HEARTH_SERVICE_H
#define HEARTH_SERVICE_H

#include "core/service.h"

#endif
