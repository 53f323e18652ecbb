/* SPDX-License-Identifier: MIT */
/* The one list of what this daemon hosts. A new service is one folder and one line here. */
#include "services/services.h"

#include "services/announce/announce_service.h"
#include "services/dns/dns_service.h"
#include "services/tftp/tftp_service.h"

const struct service_ops *const services_builtin[] = {
	&dns_service_ops,
	&tftp_service_ops,
	&announce_service_ops,
	NULL,
};
