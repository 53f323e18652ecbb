/* SPDX-License-Identifier: MIT */
/* Shared by the files that make up the service. */
#ifndef SERVICES_ANNOUNCE_ANNOUNCE_SERVICE_PRIV_H
#define SERVICES_ANNOUNCE_ANNOUNCE_SERVICE_PRIV_H

#include "core/ctl.h"
#include "core/offload.h"
#include "core/report.h"
#include "core/service.h"
#include "services/announce/announce_files.h"
#include "services/announce/beacon_keys.h"
#include "services/announce/beacon_net.h"
#include "services/announce/beacon_sender.h"

/* A start's number on its way to the disk. */
struct announce_epoch_job {
	struct offload_job job;		/* first */
	struct announce *an;		/* NULL: nobody waits */
	char path[512];
	uint64_t id;			/* whose start; a reload may change our key meanwhile */
	uint64_t epoch;
	enum err result;
};

/* An identity that speaks. The second one of a daemon only announces its successor. */
struct announce_voice {
	struct announce *an;
	struct beacon_identity me;
	struct beacon_sender *sender;
};

struct announce {
	struct service *sv;
	struct beacon_net *net;
	struct beacon_keyring ring;
	/* They change places with the key; the third is where the next one begins. */
	struct announce_voice voices[3];
	struct announce_voice *voice, *old_voice;
	struct beacon_leases leases;
	struct announce_epoch_job *epoch_job;
	struct announce_files *files;
	char *files_root;	/* that files looks into; NULL: none */
	char (*topics)[BEACON_TOPIC_MAX + 1];	/* published by the settings */
	size_t topic_count;
	struct log_gate clone_gate;
	mono_us clone_at;	/* last time that a clone was noticed; 0: never */
};

/* --- announce_service.c ---------------------------------------------------------------------- */

/* What a section `publish` has; the commands take the same. */
enum {
	ANNOUNCE_PUBLISH_TEXT,
	ANNOUNCE_PUBLISH_LIFETIME,
};
extern const struct conf_key announce_publish_keys[];

extern const struct beacon_sender_ops announce_sender_ops;	/* ctx: a voice */

struct beacon_when announce_when(const struct announce *an);
/* Send what is due and ask to be woken for the rest. */
void announce_pump(struct announce *an);
/* At start and at a change of keys: on the disk before the first word. */
uint64_t announce_new_epoch(struct announce *an, uint64_t id);

/* --- announce_keys.c ------------------------------------------------------------------------- */

/* Read the key files that the settings name, and speak with them from now on. */
enum err announce_change_keys(struct announce *an, const struct conf *cf) MUST_CHECK;
/* Our keys are kept out of swap. */
bool announce_keys_locked(const struct announce *an);
void announce_voice_end(struct announce_voice *v);

/* --- announce_commands.c --------------------------------------------------------------------- */

/* hearthctl announce …; ends rq. */
void announce_command(struct announce *an, struct ctl_request *rq);
void announce_report(const struct announce *an, struct report *out);

#endif
