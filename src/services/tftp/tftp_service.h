/* SPDX-License-Identifier: MIT */
/* The TFTP service: `tftp { … }` in the settings. */
#ifndef SERVICES_TFTP_TFTP_SERVICE_H
#define SERVICES_TFTP_TFTP_SERVICE_H

#include "core/service.h"

extern const struct service_ops tftp_service_ops;

#endif
