/* SPDX-License-Identifier: MIT */
/*
 * The announcer's keys: read from their files at start and reload, and what a change of them means.
 * There are two voices: ours, and that of the key before it, which only names the new one.
 */
#include "services/announce/announce_service_priv.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/rand.h"
#include "services/announce/armor.h"

#define PATH_BYTES 512

/* --- keys ------------------------------------------------------------------------------------ */

static void
say_trust_line(const struct announce *an)
{
	char text[ARMOR_BASE64_TEXT(SEAL_PUBLIC_BYTES)];

	armor_base64(text, span_of(an->voice->me.public, SEAL_PUBLIC_BYTES));
	log_note(an->sv->log, LOG_LEVEL_NOTICE, "announce",
	    "subscribers trust us with the line: NAME ed25519:%s", text);
}

/* Nobody has made a key: the first start does, so that a section alone is enough. */
static enum err
make_key(struct announce *an, const char *path, char why[static BEACON_WHY_MAX])
{
	enum err e = beacon_identity_make(path, why);

	if (e == OK)
		log_note(an->sv->log, LOG_LEVEL_NOTICE, "announce", "made a signing key: %s", path);
	return e;
}

static void
identity_path(const struct announce *an, const struct conf *cf, char path[static PATH_BYTES])
{
	const char *given = conf_str(cf, "sender-key");

	if (given[0] != '\0')
		snprintf(path, PATH_BYTES, "%s", given);
	else
		snprintf(path, PATH_BYTES, "%s/sender.key", an->sv->state_dir);
}

static enum err
load_identity(struct announce *an, const struct conf *cf, struct beacon_identity *out)
{
	char path[PATH_BYTES], why[BEACON_WHY_MAX];
	const char *given = conf_str(cf, "sender-key");
	enum err e;

	identity_path(an, cf, path);
	e = beacon_identity_load(out, path, why);
	if (e == ERR_NOTFOUND && given[0] == '\0' && an->sv->state_dir[0] != '\0') {
		e = make_key(an, path, why);
		if (e == OK)
			e = beacon_identity_load(out, path, why);
	}
	if (e != OK)
		service_complain(an->sv, cf, "sender-key", 0, "%s", why);
	return e;
}

static enum err
load_ring(struct announce *an, const struct conf *cf, struct beacon_keyring *out)
{
	char why[BEACON_WHY_MAX];
	const char *path = conf_str(cf, "group-key");
	enum err e;

	*out = (struct beacon_keyring){ .count = 0 };
	if (path[0] == '\0')
		return OK;
	e = beacon_keyring_load(out, path, why);
	if (e != OK)
		service_complain(an->sv, cf, "group-key", 0, "%s", why);
	return e;
}

bool
announce_keys_locked(const struct announce *an)
{
	return an->voice->me.vault.locked && (an->ring.count == 0 || an->ring.vault.locked);
}

static enum err
start_voice(struct announce *an, struct announce_voice *v, bool small)
{
	struct beacon_sender_opts o = { .ops = &announce_sender_ops, .ctx = v, .ring = &an->ring,
		.me = &v->me, .epoch = announce_new_epoch(an, v->me.id), .small = small,
		.leases = &an->leases, .seed = rand_u64(an->sv->rand), .now = announce_when(an) };

	v->an = an;
	return beacon_sender_new(&v->sender, &o);
}

void
announce_voice_end(struct announce_voice *v)
{
	beacon_sender_free(v->sender);
	beacon_identity_fini(&v->me);
	*v = (struct announce_voice){ .an = NULL };
}

static bool
is_out_of_reach(const char *path)
{
	return path[0] != '\0' && access(path, R_OK) != 0 && errno == EACCES;
}

/*
 * Key files that only root may read were read before the daemon gave root up. A reload then goes
 * on with the keys in force.
 */
static bool
keys_out_of_reach(struct announce *an, const struct conf *cf)
{
	char path[PATH_BYTES];
	bool out;

	identity_path(an, cf, path);
	out = is_out_of_reach(path) || is_out_of_reach(conf_str(cf, "group-key")) ||
	      is_out_of_reach(conf_str(cf, "old-sender-key"));
	if (out)
		log_note(an->sv->log, LOG_LEVEL_NOTICE, "announce",
		    "the keys stay as they are: their files may be read at the start only");
	return out;
}

/* --- what the files say ---------------------------------------------------------------------- */

/* All of it is read before anything changes. */
struct key_files {
	struct beacon_identity me, old;	/* old.id is 0 where there is none */
	struct beacon_keyring ring;
};

static enum err
load_old(struct announce *an, const struct conf *cf, struct key_files *k)
{
	char why[BEACON_WHY_MAX];
	const char *path = conf_str(cf, "old-sender-key");
	enum err e;

	if (path[0] == '\0')
		return OK;
	e = beacon_identity_load(&k->old, path, why);
	if (e == OK && k->old.id == k->me.id) {
		e = ERR_EXISTS;
		snprintf(why, sizeof(why), "%.200s: the same key as sender-key", path);
	}
	if (e != OK)
		service_complain(an->sv, cf, "old-sender-key", 0, "%s", why);
	return e;
}

static enum err
load_files(struct announce *an, const struct conf *cf, struct key_files *k)
{
	enum err e;

	*k = (struct key_files){ .me = { .id = 0 } };
	e = load_identity(an, cf, &k->me);
	if (e == OK)
		e = load_ring(an, cf, &k->ring);
	if (e == OK)
		e = load_old(an, cf, k);
	if (e != OK) {
		beacon_identity_fini(&k->me);
		beacon_identity_fini(&k->old);
		beacon_keyring_fini(&k->ring);
	}
	return e;
}

/* --- a change of keys ------------------------------------------------------------------------ */

/* What was published with the key before goes on under the new one. */
static void
take_over_states(struct announce *an, const struct beacon_sender *from)
{
	struct beacon_when now = announce_when(an);
	struct beacon_published p;

	for (size_t i = 0; from != NULL && i < beacon_sender_count(from); i++) {
		enum err e;

		beacon_sender_get(from, i, &p);
		e = beacon_sender_publish(an->voice->sender, &now, p.topic, p.ctype, p.payload,
		    p.lifetime_s);
		if (e != OK)
			log_note(an->sv->log, LOG_LEVEL_WARNING, "announce",
			    "a state was dropped at the change of keys: %s", err_text(e));
	}
}

/* The voice that says nothing and is not meant to. */
static struct announce_voice *
spare_voice(struct announce *an)
{
	struct announce_voice *v = an->voices;

	while (v == an->voice || v == an->old_voice)
		v++;
	return v;
}

/*
 * Speak with another key; the voice that had the old one becomes the old voice. Where there is no
 * memory for that, both stay as they are.
 */
static enum err
speak_as(struct announce *an, const struct beacon_identity *me)
{
	struct announce_voice *before = an->voice, *next = spare_voice(an);
	enum err e;

	next->me = *me;
	e = start_voice(an, next, false);
	if (e != OK) {
		announce_voice_end(next);
		return e;
	}
	announce_voice_end(an->old_voice);
	an->voice = next;
	an->old_voice = before;
	take_over_states(an, before->sender);
	say_trust_line(an);
	if (!announce_keys_locked(an))
		log_note(an->sv->log, LOG_LEVEL_WARNING, "announce",
		    "the keys may reach swap: the limit of locked memory is too low");
	return OK;
}

/*
 * The old key names the new one. Where it was ours until now its sender stays as it is, so that
 * copies and repairs of what it said before go on.
 */
static enum err
name_heir(struct announce *an, struct beacon_identity *old)
{
	struct beacon_when now = announce_when(an);
	struct announce_voice *v = an->old_voice;
	enum err e = OK;

	if (v->sender != NULL && v->me.id == old->id) {
		beacon_identity_fini(old);
	} else {
		announce_voice_end(v);
		if (old->id == 0)
			return OK;
		v->me = *old;
		e = start_voice(an, v, true);
	}
	return e == OK ? beacon_sender_roll(v->sender, &now, &an->voice->me) : e;
}

/*
 * Take the files' keys; those that are not used any more have been wiped when this returns. Where a
 * new voice cannot begin all is as before; where the old key cannot, the next reload has it name
 * us.
 */
static enum err
take_keys(struct announce *an, const struct conf *cf, struct key_files *k)
{
	bool moved = an->voice->sender == NULL || (k->ring.count != 0) != (an->ring.count != 0);
	struct beacon_keyring before = an->ring;
	enum err e = OK;

	an->ring = k->ring;
	if (moved || k->me.id != an->voice->me.id)
		e = speak_as(an, &k->me);
	else
		beacon_identity_fini(&k->me);
	if (e != OK) {
		beacon_identity_fini(&k->old);
		beacon_keyring_fini(&an->ring);
		an->ring = before;
		return e;
	}
	beacon_keyring_fini(&before);
	if (moved) {
		beacon_leases_init(&an->leases,
		    k->ring.count != 0 ? (size_t)conf_int(cf, "leases") : 0);
		/* What the old voice has kept was for another group. */
		announce_voice_end(an->old_voice);
	}
	return name_heir(an, &k->old);
}

/* Another key of ours, or a move between public and sealed, is a new start. */
enum err
announce_change_keys(struct announce *an, const struct conf *cf)
{
	struct key_files k;
	enum err e;

	if (an->voice->sender != NULL && keys_out_of_reach(an, cf))
		return OK;
	e = load_files(an, cf, &k);
	return e == OK ? take_keys(an, cf, &k) : e;
}
