/* SPDX-License-Identifier: MIT */
#include "util/replay.h"

#include <stdbool.h>
#include <string.h>

#include "support/unit.h"

/* Peek and update agree, and peek changes nothing. */
static enum err
take(struct replay *r, uint64_t seq)
{
	struct replay before = *r;
	enum err e = replay_peek(r, seq);

	CU_ASSERT_EQUAL(memcmp(&before, r, sizeof(before)), 0);
	CU_ASSERT_EQUAL(replay_update(r, seq), e);
	return e;
}

static void
each_number_is_new_once(void)
{
	struct replay r = { 0 };

	for (uint64_t seq = 0; seq < 5000; seq++) {
		CU_ASSERT_EQUAL(take(&r, seq), OK);
		CU_ASSERT_EQUAL(take(&r, seq), ERR_REPLAY);
	}
}

static void
zero_is_a_number_like_others(void)
{
	struct replay r = { 0 };

	CU_ASSERT_EQUAL(take(&r, 0), OK);
	CU_ASSERT_EQUAL(take(&r, 0), ERR_REPLAY);
	replay_reset(&r);
	CU_ASSERT_EQUAL(take(&r, 1), OK);
	CU_ASSERT_EQUAL(take(&r, 0), OK);
	CU_ASSERT_EQUAL(take(&r, 0), ERR_REPLAY);
}

/* Exactly REPLAY_WINDOW numbers count, whatever the newest one's place in its word. */
static void
the_window_ends_at_the_same_distance_from_every_place(void)
{
	for (uint64_t newest = 3 * REPLAY_WINDOW; newest < 3 * REPLAY_WINDOW + 200; newest++) {
		struct replay r = { 0 };

		CU_ASSERT_EQUAL(take(&r, newest), OK);
		CU_ASSERT_EQUAL(take(&r, newest - REPLAY_WINDOW), ERR_RANGE);
		CU_ASSERT_EQUAL(take(&r, newest - REPLAY_WINDOW + 1), OK);
		CU_ASSERT_EQUAL(take(&r, newest - REPLAY_WINDOW + 1), ERR_REPLAY);
		for (uint64_t back = 1; back < REPLAY_WINDOW - 1; back++)
			CU_ASSERT_EQUAL(take(&r, newest - back), OK);
		for (uint64_t back = 0; back < REPLAY_WINDOW; back++)
			CU_ASSERT_EQUAL(replay_peek(&r, newest - back), ERR_REPLAY);
	}
}

static void
what_was_seen_is_remembered_across_word_edges(void)
{
	static const uint64_t steps[] = { 1, 2, 62, 63, 64, 65, 127, 128, 129, 959, 960, 961,
		1022, 1023, 1024, 1025, 1087, 1088, 1089, 1151, 1152, 1153, 4096, 1000003 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (uint64_t start = 10000; start < 10130; start++) {
			struct replay r = { 0 };
			bool inside = steps[i] < REPLAY_WINDOW;

			CU_ASSERT_EQUAL(take(&r, start), OK);
			CU_ASSERT_EQUAL(take(&r, start + steps[i]), OK);
			CU_ASSERT_EQUAL(take(&r, start), inside ? ERR_REPLAY : ERR_RANGE);
			CU_ASSERT_EQUAL(take(&r, start + 1), steps[i] > REPLAY_WINDOW ? ERR_RANGE
				: steps[i] == 1					      ? ERR_REPLAY
										      : OK);
		}
	}
}

static void
a_far_jump_leaves_no_old_marks(void)
{
	struct replay r = { 0 };

	for (uint64_t seq = 1; seq <= 2 * REPLAY_WINDOW; seq++)
		CU_ASSERT_EQUAL(replay_update(&r, seq), OK);

	/* A multiple of the ring, so that each word comes to lie on its old place. */
	uint64_t far = 2 * REPLAY_WINDOW + UINT64_C(64) * REPLAY_WORDS * 1000000007;

	CU_ASSERT_EQUAL(take(&r, far), OK);
	for (uint64_t back = 1; back < REPLAY_WINDOW; back++)
		CU_ASSERT_EQUAL(replay_peek(&r, far - back), OK);
}

static void
the_last_number_ends_the_row(void)
{
	struct replay r = { 0 };

	CU_ASSERT_EQUAL(take(&r, 5), OK);
	CU_ASSERT_EQUAL(take(&r, UINT64_MAX), OK);
	CU_ASSERT_EQUAL(take(&r, UINT64_MAX), ERR_REPLAY);
	CU_ASSERT_EQUAL(take(&r, 0), ERR_RANGE);
	CU_ASSERT_EQUAL(take(&r, 5), ERR_RANGE);
	CU_ASSERT_EQUAL(take(&r, UINT64_MAX - REPLAY_WINDOW), ERR_RANGE);
	for (uint64_t back = 1; back < REPLAY_WINDOW; back++) {
		CU_ASSERT_EQUAL(take(&r, UINT64_MAX - back), OK);
		CU_ASSERT_EQUAL(take(&r, UINT64_MAX - back), ERR_REPLAY);
	}
}

/* The plainest thing that can be right: one flag for each number. */
#define MODEL_SIZE 40000

struct model {
	uint64_t newest;
	bool seen[MODEL_SIZE];
};

static enum err
model_take(struct model *m, uint64_t seq)
{
	if (seq + REPLAY_WINDOW <= m->newest)
		return ERR_RANGE;
	if (m->seen[seq])
		return ERR_REPLAY;
	m->seen[seq] = true;
	if (seq > m->newest)
		m->newest = seq;
	return OK;
}

static void
it_agrees_with_a_plain_model(void)
{
	static struct model m;
	uint64_t random = unit_seed(20240611);

	for (unsigned round = 0; round < 50; round++) {
		struct replay r = { 0 };

		memset(&m, 0, sizeof(m));
		for (unsigned i = 0; i < 4000; i++) {
			uint64_t dice = unit_random(&random);
			uint64_t spread = dice % 16 == 0 ? 2500 : dice % 4 == 0 ? 1100 : 70;
			uint64_t seq = m.newest + dice / 16 % spread;

			seq = seq > spread / 2 ? seq - spread / 2 : 0;
			if (seq >= MODEL_SIZE)
				break;
			CU_ASSERT_EQUAL(replay_update(&r, seq), model_take(&m, seq));
		}
	}
}

UNIT_MAIN("replay", UNIT(each_number_is_new_once), UNIT(zero_is_a_number_like_others),
    UNIT(the_window_ends_at_the_same_distance_from_every_place),
    UNIT(what_was_seen_is_remembered_across_word_edges), UNIT(a_far_jump_leaves_no_old_marks),
    UNIT(the_last_number_ends_the_row), UNIT(it_agrees_with_a_plain_model))
