/* SPDX-License-Identifier: MIT */
/*
 * What a subscriber remembers across restarts, as lines of text:
 *
 *	seen SENDER EPOCH BASE NEWEST WINDOW	hexadecimal; the window as its words
 *	key FROM NAME BASE64 GLOBS		FROM: id of the key that announced it; 0: pinned
 *	heir OLD NEW				ids: OLD was replaced by NEW; 0: by none
 *
 * A key line says that FROM was replaced, too; memories from before there were heir lines do so
 * with it alone. The heir lines come behind and tell the rest: of keys in the trust file, and of
 * keys that came back.
 *
 * Slots come back stale: the sender proves itself again before it counts. A key that announced
 * another one stays replaced; that other one falls with it: whoever strikes the first out of the
 * trust file means both.
 */
#include "services/announce/beacon_receiver_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "services/announce/armor.h"
#include "util/text.h"

#define LINE_MAX_BYTES 1024
#define WINDOW_TEXT (REPLAY_WORDS * 16 + 1)

static void
put_line(struct wire_wr *wr, const char *line)
{
	wire_wr_bytes(wr, span_str(line));
}

static void
save_slot(const struct beacon_slot *slot, uint64_t sender, struct wire_wr *wr)
{
	char line[LINE_MAX_BYTES], window[WINDOW_TEXT];

	for (size_t i = 0; i < REPLAY_WORDS; i++)
		snprintf(window + i * 16, 17, "%016" PRIx64, slot->window.seen[i]);
	snprintf(line, sizeof(line), "seen %016" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %s\n",
	    sender, slot->epoch, slot->base, slot->window.newest, window);
	put_line(wr, line);
}

enum err
beacon_receiver_save(const struct beacon_receiver *r, struct wire_wr *out)
{
	char line[LINE_MAX_BYTES], key[ARMOR_BASE64_TEXT(SEAL_PUBLIC_BYTES)];

	for (size_t i = 0; i < r->trust.count; i++) {
		const struct beacon_trusted *s = &r->trust.senders[i];

		if (s->origin == BEACON_FROM_FILE)
			continue;
		armor_base64(key, span_of(s->key, sizeof(s->key)));
		snprintf(line, sizeof(line), "key %" PRIx64 " %s %s %s\n", s->from, s->name, key,
		    s->globs);
		put_line(out, line);
	}
	for (size_t i = 0; i < r->trust.count; i++) {
		uint8_t heir = r->peers[i].heir;

		snprintf(line, sizeof(line), "heir %" PRIx64 " %" PRIx64 "\n", r->ids[i],
		    heir != 0 ? r->ids[heir - 1] : 0);
		put_line(out, line);
	}
	for (size_t i = 0; i < r->trust.count; i++)
		for (size_t k = 0; k < 2; k++)
			if (r->peers[i].slots[k].state != BEACON_SLOT_FREE)
				save_slot(&r->peers[i].slots[k], r->ids[i], out);
	return wire_wr_finish(out);
}

static bool
load_window(struct replay *w, const char *text)
{
	if (strlen(text) != WINDOW_TEXT - 1)
		return false;
	for (size_t i = 0; i < REPLAY_WORDS; i++)
		if (sscanf(text + i * 16, "%16" SCNx64, &w->seen[i]) != 1)
			return false;
	return true;
}

static bool
load_seen(struct beacon_receiver *r, const char *line)
{
	char window[WINDOW_TEXT];
	struct beacon_slot slot = { .state = BEACON_SLOT_STALE, .heard_at = r->now.mono };
	uint64_t sender;

	if (sscanf(line, "seen %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %272s", &sender,
	    &slot.epoch, &slot.base, &slot.window.newest, window) != 5)
		return false;

	size_t who = beacon_receiver_find(r, sender);

	if (who == r->trust.count || !load_window(&slot.window, window))
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (r->peers[who].slots[i].state == BEACON_SLOT_FREE) {
			r->peers[who].slots[i] = slot;
			return true;
		}
	}
	return false;
}

static bool
load_key(struct beacon_receiver *r, const char *line)
{
	char name[BEACON_NAME_MAX], text[64], globs[BEACON_GLOBS_MAX];
	uint8_t key[SEAL_PUBLIC_BYTES];
	uint64_t from;

	if (sscanf(line, "key %" SCNx64 " %31s %63s %511s", &from, name, text, globs) != 4 ||
	    armor_base64_read(key, sizeof(key), span_str(text)) != OK)
		return false;
	if (from == 0 ? !r->trust.tofu : beacon_trust_find(&r->trust, from) == NULL)
		return true;		/* the trust file has changed its mind */

	size_t who = r->trust.count;
	enum err e = beacon_trust_add(&r->trust, name, key, globs,
	    from == 0 ? BEACON_FROM_TOFU : BEACON_FROM_ROLL);

	if (e == OK) {
		r->trust.senders[who].from = from;
		r->ids[who] = r->trust.senders[who].id;
	} else {		/* it stands in the trust file by now, or there is no room */
		who = beacon_receiver_find(r, beacon_id_of(span_of(key, sizeof(key))));
	}
	if (from != 0 && who != r->trust.count)
		r->peers[beacon_receiver_find(r, from)].heir = (uint8_t)(who + 1);
	return true;
}

/* A key that the trust file no longer has replaces none, and is replaced by none. */
static bool
load_heir(struct beacon_receiver *r, const char *line)
{
	uint64_t old_id, new_id;

	if (sscanf(line, "heir %" SCNx64 " %" SCNx64, &old_id, &new_id) != 2)
		return false;

	size_t old = beacon_receiver_find(r, old_id), new = beacon_receiver_find(r, new_id);

	if (old != r->trust.count)
		r->peers[old].heir = new != r->trust.count && new != old ? (uint8_t)(new + 1) : 0;
	return true;
}

unsigned
beacon_receiver_load(struct beacon_receiver *r, struct span text)
{
	char copy[LINE_MAX_BYTES];
	struct span line;
	unsigned skipped = 0;

	while (text_next_line(&text, &line)) {
		if (line.len >= sizeof(copy)) {
			skipped++;
			continue;
		}
		memcpy(copy, line.at, line.len);
		copy[line.len] = '\0';
		if (!load_seen(r, copy) && !load_key(r, copy) && !load_heir(r, copy))
			skipped++;
	}
	return skipped;
}
