/* SPDX-License-Identifier: MIT */
/*
 * The settings file as the daemon sees it: its own keys, the services that the file asks to load,
 * and the tables of all of them.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdint.h>
#include <stdio.h>

#include "core/conf.h"
#include "core/ctl.h"
#include "core/log.h"
#include "core/service.h"
#include "util/err.h"

#define SETTINGS_KEYS_MAX 48	/* our own and a section per service */
#define SETTINGS_ERR_MAX  4096	/* bytes: several findings, a line each */

struct settings {
	const char *path;		/* NULL: no file, all defaults */
	struct services *services;	/* what the tables were made for */
	struct conf_key table[SETTINGS_KEYS_MAX];
	struct conf_file *file;
	struct conf_file *first;	/* of the start: what waits for the next one differs */
	/* earlier ones that a service still runs with */
	struct conf_file *kept[SETTINGS_KEYS_MAX];
	uint64_t reloads;
	uint64_t reloads_refused;
};

/*
 * Add the built-in services and the ones the file loads, then read and check the file. What is
 * wrong stands in err, a line each.
 *
 * path    NULL: the default file where there is one, else none at all
 */
enum err settings_init(struct settings *st, const char *path, char err[static SETTINGS_ERR_MAX])
    MUST_CHECK;
/* Also stops the services. */
void settings_fini(struct settings *st);

const struct conf *settings_root(const struct settings *st);

/* Read the file again and put it in force; on any error nothing has changed. */
enum err settings_reload(struct settings *st, struct log *lg, char err[static SETTINGS_ERR_MAX])
    MUST_CHECK;

/* Tell of each key, and each service's section, that takes effect at the next start only. */
void settings_waiting(const struct settings *st, conf_tell *tell, void *ctx);

/*
 * Print what the settings name and the daemon will not find as things are, a line each; gives their
 * number. As root it becomes the daemon's user for that, for good: nothing else can follow.
 */
unsigned settings_print_missing(const struct settings *st, FILE *out);
/* Log which interfaces and addresses are not there; nobody else does. */
void settings_log_missing(const struct settings *st, struct log *lg);

/* Level and format of the log as the settings say. */
void settings_apply_log(const struct settings *st, struct log *lg);

/* The user to become; "" to stay. Where it was not chosen and does not exist: nobody. */
const char *settings_user(const struct settings *st, struct log *lg);
/* Say where the user stands that does not exist. */
void settings_complain_user(const struct settings *st, struct log *lg);

/*
 * Make the directory for state and the one for the control socket where they are missing, owned by
 * the user that the daemon will become. Gives the state directory, "" where there is none.
 */
const char *settings_state_dir(const struct settings *st, struct log *lg);

/*
 * Open the control socket, for root and the group of the user. Without rights to the default place
 * that is a warning, not an error; a place that was chosen must work.
 */
enum err settings_open_control(const struct settings *st, struct log *lg, struct loop *l,
    ctl_handler *handler, void *ctx, struct ctl **out) MUST_CHECK;

/* Log findings that stand a line each. */
void settings_log_lines(struct log *lg, const char *lines);

#endif
