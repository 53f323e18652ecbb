/* SPDX-License-Identifier: MIT */
/*
 * What the daemon asks of a service, and what a service may ask of the daemon.
 *
 * The built-in services and a third party's shared object use the same table. A shared object
 * exports it under the name hearth_service:
 *
 *	const struct service_ops hearth_service = { .abi = HEARTH_SERVICE_ABI, .name = "echo", … };
 *
 * and is loaded by `load = { "/path/echo.so" }` in hearthd.conf. All calls come from the one thread
 * of the loop; none may block.
 */
#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/ctl.h"
#include "core/log.h"
#include "core/report.h"
#include "core/udp.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/mono.h"
#include "util/span.h"

/* Goes up with every incompatible change of this header or of those it includes. */
#define HEARTH_SERVICE_ABI 1

struct loop;
struct netif;
struct offload;
struct rand;
struct service;
struct service_slot;

struct service_ops {
	uint32_t		 abi;	/* HEARTH_SERVICE_ABI; stays the first member for ever */
	const char		*name;	/* config section, log tag, hearthctl noun */
	const char		*help;	/* one line for the manual */
	/* accepted settings with range and default; ends with {0} */
	const struct conf_key	*keys;

	/*
	 * Once, while still privileged: bind sockets, open directories. cf is the service's
	 * section.
	 */
	enum err (*start)(struct service *sv, const struct conf *cf);
	/*
	 * After start and at each reload. On error the previous settings stay in force; the reason
	 * goes to the log through service_complain(). cf and what is read from it stay valid until
	 * a later apply() has succeeded, or stop().
	 */
	enum err (*apply)(struct service *sv, const struct conf *cf);
	/*
	 * Files that are written to may have been renamed: open them anew. At SIGHUP and each
	 * reload.
	 */
	void	 (*reopen)(struct service *sv);
	/* One datagram of a socket opened by service_listen(), valid until return. */
	void	 (*receive)(struct service *sv, const struct dgram *dg);
	/* The asked-for instant has come; gives the next one, or MONO_NEVER. */
	mono_us	 (*wake)(struct service *sv, mono_us now);
	void	 (*report)(const struct service *sv, struct report *out);
	/* hearthctl NAME WORD…: ends with ctl_done() or ctl_fail(), at once or later. */
	void	 (*command)(struct service *sv, struct ctl_request *rq);
	/*
	 * The daemon is about to end: true while work is in flight; asked until false or time is
	 * up.
	 */
	bool	 (*busy)(const struct service *sv);
	/* Also undoes a start that failed half way. */
	void	 (*stop)(struct service *sv);
};

/* One running service. state is its own; the rest belongs to the daemon. */
struct service {
	const struct service_ops *ops;
	void *state;
	struct loop *loop;
	struct log *log;
	struct netif *netif;
	struct offload *offload;
	struct rand *rand;
	const char *state_dir;		/* where it may keep files; "" where there is none */
	struct service_slot *slot;	/* the daemon's book-keeping */
};

/*
 * Open a UDP socket whose datagrams go to ops->receive. It is closed by the daemon after stop().
 * opts may be NULL; its receive and ctx are not looked at. Complains in the log. Errors: ERR_SYS,
 * ERR_NOMEM.
 */
enum err service_listen(struct service *sv, const struct addr *local, const struct udp_opts *opts,
    struct udp_socket **out) MUST_CHECK;

/*
 * False, and a notice in the log, for an address of a family that this machine does not have, where
 * the list setting `key` was not written by anybody: a default that fits most is no error
 * elsewhere.
 */
bool service_can_listen(struct service *sv, const struct conf *cf, const char *key,
    const struct addr *local);

/* Log that this address cannot be listened on, from errno where e is ERR_SYS, which it keeps. */
void service_complain_listen(struct service *sv, const struct addr *local, const char *transport,
    enum err e);

/* Ask for wake() at an instant; replaces an earlier wish. */
void service_wake_at(struct service *sv, mono_us at);

/*
 * From start(): let the daemon keep a capability, CAP_…, when it gives up root. For what cannot be
 * done without, where the settings ask for it.
 */
void service_keep_capability(struct service *sv, unsigned capability);

/* Log an error that says where in the settings it comes from: "FILE:LINE: key: words". */
void service_complain(struct service *sv, const struct conf *cf, const char *key, size_t i,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* --- the daemon's side ------------------------------------------------------------------------ */

struct services;	/* all that run in one loop */

struct services_env {
	struct loop *loop;
	struct log *log;
	struct netif *netif;
	struct offload *offload;
	struct rand *rand;
	const char *state_dir;
};

enum err services_new(struct services **out) MUST_CHECK;
/* Stop all in reverse order and close their sockets. NULL is fine. */
void services_stop(struct services *s);
/*
 * The same, and unload. The pool of core/offload must have ended before: what it still has to call
 * may be a loaded service's.
 */
void services_free(struct services *s);

/* Add a built-in. Errors: ERR_UNSUPPORTED (ABI), ERR_EXISTS (name taken), ERR_NOMEM. */
enum err services_add(struct services *s, const struct service_ops *ops) MUST_CHECK;
/* Load one from a shared object; err gets one line. Errors also: ERR_NOTFOUND, ERR_FORMAT. */
enum err services_load(struct services *s, const char *path, char *err, size_t errlen) MUST_CHECK;
/* Write a CONF_SECTION key per service to a table of `cap` entries; gives the number of entries. */
size_t services_keys(const struct services *s, struct conf_key *table, size_t cap);

/* The service that runs with its defaults where the settings have no section of any service. */
void services_fallback(struct services *s, const char *name);

/* Start every service whose section stands in root. Says in the log what failed. */
enum err services_start(struct services *s, const struct services_env *env,
    const struct conf *root) MUST_CHECK;
/*
 * apply() on all; the first error is given, services before it are put back to `old`. What the
 * service that refused had to say first is kept until the next call; "" where it said nothing.
 */
const char *services_complaint(const struct services *s);
enum err services_apply(struct services *s, const struct conf *root,
    const struct conf *old) MUST_CHECK;
/*
 * Tell of what takes effect at the next start only, where `old` are the settings of this one: keys
 * that differ, and services whose sections have come or gone.
 */
void services_waiting(const struct services *s, const struct conf *old, const struct conf *now,
    conf_tell *tell, void *ctx);
/* Have all open anew what they write to. */
void services_reopen(struct services *s);
/* True while a service runs with settings of that root: they must not be released. */
bool services_use(const struct services *s, const struct conf *root);
/* The capabilities that services have asked for, a bit each. */
uint64_t services_capabilities(const struct services *s);
bool services_busy(const struct services *s);
void services_report(const struct services *s, struct report *out);
/* Hand a command to the service of that name. False where none has it. */
bool services_command(struct services *s, const char *noun, struct ctl_request *rq);

#endif
