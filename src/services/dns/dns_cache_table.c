/* SPDX-License-Identifier: MIT */
/* The cache's tables: an index without tombstones, and slots that keep their number. */
#include "services/dns/dns_cache_impl.h"

#include <stdlib.h>

#define CELLS_MIN 256	/* a power of two */
#define SLOTS_MIN 64

size_t
dns_cache_tables_bytes(const struct tables *t)
{
	return ((size_t)t->mask + 1) * sizeof(t->cells[0]) + t->nslots * sizeof(t->slots[0]);
}

/* At most three quarters of the cells are taken. */
static bool
cells_hold(uint32_t cells, size_t n)
{
	return n + 1 <= cells / 4 * 3;
}

static uint32_t
cells_for(size_t n)
{
	uint32_t cells = CELLS_MIN;

	while (!cells_hold(cells, n))
		cells *= 2;
	return cells;
}

static uint32_t
slots_for(size_t n)
{
	uint32_t slots = SLOTS_MIN;

	while (n + 1 > slots)
		slots *= 2;
	return slots;
}

size_t
dns_cache_tables_bytes_for(size_t n)
{
	return cells_for(n) * sizeof(uint32_t) + slots_for(n) * sizeof(struct slot);
}

enum err
dns_cache_tables_init(struct tables *t, size_t n)
{
	*t = (struct tables){ .mask = cells_for(n) - 1, .nslots = slots_for(n), .used = 1 };
	t->cells = calloc(t->mask + 1u, sizeof(t->cells[0]));
	t->slots = malloc(t->nslots * sizeof(t->slots[0]));
	if (t->cells == NULL || t->slots == NULL) {
		free(t->cells);
		free(t->slots);
		return ERR_NOMEM;
	}
	t->slots[0] = (struct slot){ 0 };
	return OK;
}

void
dns_cache_tables_fini(struct tables *t)
{
	free(t->cells);
	free(t->slots);
}

static void
place(struct tables *t, uint32_t cell)
{
	uint32_t pos = t->slots[cell & DNS_SLOT_MASK].hash & t->mask;

	while (t->cells[pos] != 0)
		pos = (pos + 1) & t->mask;
	t->cells[pos] = cell;
}

void
dns_cache_cell_put(struct tables *t, uint32_t tag, uint32_t slot)
{
	place(t, tag | slot);
}

/* Double the index. The old one stays where there is no memory for it. */
enum err
dns_cache_cells_reserve(struct tables *t, size_t n)
{
	uint32_t *old = t->cells;
	uint32_t old_count = t->mask + 1;

	if (cells_hold(old_count, n))
		return OK;

	uint32_t count = cells_for(n);
	uint32_t *cells = calloc(count, sizeof(cells[0]));

	if (cells == NULL)
		return ERR_NOMEM;
	t->cells = cells;
	t->mask = count - 1;
	for (uint32_t i = 0; i < old_count; i++)
		if (old[i] != 0)
			place(t, old[i]);
	free(old);
	return OK;
}

/* Empty the slot's cell and close the gap, so that probing never meets tombstones. */
void
dns_cache_cell_remove(struct tables *t, uint32_t slot)
{
	uint32_t hole = t->slots[slot].hash & t->mask;

	while ((t->cells[hole] & DNS_SLOT_MASK) != slot)
		hole = (hole + 1) & t->mask;
	for (uint32_t i = (hole + 1) & t->mask; t->cells[i] != 0; i = (i + 1) & t->mask) {
		uint32_t home = t->slots[t->cells[i] & DNS_SLOT_MASK].hash & t->mask;

		/* Leave those alone whose home lies behind the hole. */
		if (((i - home) & t->mask) < ((i - hole) & t->mask))
			continue;
		t->cells[hole] = t->cells[i];
		hole = i;
	}
	t->cells[hole] = 0;
}

uint32_t
dns_cache_slot_take(struct tables *t)
{
	uint32_t slot = t->free;

	if (slot != 0) {
		t->free = t->slots[slot].newer;
		return slot;
	}
	if (t->used == t->nslots) {
		if (t->nslots == DNS_CACHE_ENTRIES_MAX)
			return 0;

		struct slot *slots = realloc(t->slots, t->nslots * 2 * sizeof(slots[0]));

		if (slots == NULL)
			return 0;
		t->slots = slots;
		t->nslots *= 2;
	}
	return t->used++;
}

void
dns_cache_slot_give_back(struct tables *t, uint32_t slot)
{
	t->slots[slot] = (struct slot){ .newer = t->free };
	t->free = slot;
}
