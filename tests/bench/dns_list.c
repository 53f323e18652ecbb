/* SPDX-License-Identifier: MIT */
/*
 * A list of a million names: time to load it from the page cache, memory it takes, time of a
 * question. Beside it the least that any such list costs, measured in the same round: lines found
 * with memchr, copied, and entered into a table by a hash of the whole line.
 *
 *	dns_list [NAMES [ROUNDS]]
 *	dns_list --print NAMES		the list itself, plain names, for other servers
 *
 * Each measurement runs in a process of its own, so that memory is counted from nothing. Times are
 * of the processor: the file is in memory, and other load on the machine does not count.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "services/dns/dns_listfile.h"

#define SLICE	  (256u << 10)
#define QUESTIONS 1000000u
#define ROUNDS_MAX 99

static const uint8_t key[SEAL_SHORT_KEY_BYTES] = "bench";

struct result {
	double load_s;
	double memory_mib;
	double miss_ns;		/* a name that is not in the list, with three labels */
	double hit_ns;		/* one below a name that is */
};

static double
cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
resident_mib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
		exit(1);
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* splitmix64 of a counter: name number i is the same in every run and every process. */
static uint64_t
mix(uint64_t i)
{
	i += UINT64_C(0x9e3779b97f4a7c15);
	i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
	return i ^ i >> 31;
}

/* Name number i as published lists have them: two or three labels, 22 characters on average. */
static int
make_name(char *out, size_t cap, uint64_t i)
{
	static const char *const ends[] = { "com", "net", "org", "info", "co.uk", "de", "xyz",
	    "ru" };
	uint64_t r = mix(i);
	char word[2][24];
	unsigned len[2] = { 7 + (unsigned)(r % 9), 3 + (unsigned)(r / 16 % 9) };

	for (unsigned w = 0; w < 2; w++) {
		uint64_t letters = mix(r + w);

		for (unsigned k = 0; k < len[w]; k++,
		    letters = k == 12 ? mix(letters) : letters / 26)
			word[w][k] = (char)('a' + letters % 26);
		word[w][len[w]] = '\0';
	}
	if (r >> 60 < 5)
		return snprintf(out, cap, "%s%s.%s", word[0], word[1], ends[r >> 32 & 7]);
	return snprintf(out, cap, "%s.%s.%s", word[1], word[0], ends[r >> 32 & 7]);
}

/* The list, one file without a name in a file system, in the format of adblock lists. */
static int
make_file(unsigned names)
{
	int fd = memfd_create("list", MFD_CLOEXEC);
	FILE *f = fd != -1 ? fdopen(dup(fd), "w") : NULL;
	char name[80];

	if (f == NULL)
		exit(1);
	for (unsigned i = 0; i < names; i++) {
		make_name(name, sizeof(name), i);
		fprintf(f, "||%s^\n", name);
	}
	fclose(f);
	return fd;
}

/* --- ours ------------------------------------------------------------------------------------- */

static struct dns_list *
load(int fd, unsigned names)
{
	struct dns_listfile *f = malloc(sizeof(*f));
	uint8_t *slice = malloc(SLICE);
	struct dns_list_builder *b;
	struct dns_list *l;
	off_t at = 0;
	ssize_t n;

	if (f == NULL || slice == NULL || dns_list_builder_new(&b, names) != OK)
		exit(1);
	dns_listfile_begin(f, b, 0, false);
	while ((n = pread(fd, slice, SLICE, at)) > 0) {
		if (dns_listfile_feed(f, span_of(slice, (size_t)n)) != OK)
			exit(1);
		at += n;
	}
	if (dns_listfile_end(f) != OK || dns_list_finish(&l, b, key) != OK)
		exit(1);
	dns_list_builder_free(b);
	free(slice);
	free(f);
	return l;
}

/*
 * Ask for names that lie far apart in the list, or for none of it. They are made beforehand and lie
 * one behind the other, as a query's name is in the cache when its turn comes.
 */
static double
ask(const struct dns_list *l, unsigned names, bool present)
{
	uint8_t *questions = malloc(QUESTIONS * 48);
	size_t used = 0;
	unsigned found = 0;
	double begun;

	if (questions == NULL)
		exit(1);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		char text[120] = "www.";
		uint64_t number = present ? mix(i) % names : (UINT64_C(1) << 40) + i;
		struct dns_name n;

		make_name(text + (present ? 4 : 0), sizeof(text) - 4, number);
		if (dns_name_parse(&n, span_str(text)) != OK || n.len > 47)
			exit(1);
		questions[used] = n.len;
		memcpy(questions + used + 1, n.wire, n.len);
		used += 1u + n.len;
	}
	begun = cpu_seconds();
	for (size_t at = 0; at < used; at += 1u + questions[at]) {
		struct dns_list_match m;
		struct dns_trail t;

		dns_trail_of(&t, span_of(questions + at + 1, questions[at]), dns_list_has_tops(l),
		    key);
		found += dns_list_find(l, DNS_LIST_BLOCK, &t, &m);
	}
	begun = (cpu_seconds() - begun) / QUESTIONS * 1e9;
	if (found != (present ? QUESTIONS : 0))
		fprintf(stderr, "found %u\n", found);
	free(questions);
	return begun;
}

static void
measure_ours(int fd, unsigned names, struct result *out)
{
	double before = resident_mib();
	double begun = cpu_seconds();
	struct dns_list *l = load(fd, names);

	out->load_s = cpu_seconds() - begun;
	out->memory_mib = resident_mib() - before;
	out->miss_ns = ask(l, names, false);
	out->hit_ns = ask(l, names, true);
}

/* --- the least it can cost -------------------------------------------------------------------- */

static void
measure_reference(int fd, unsigned names, struct result *out)
{
	double before = resident_mib();
	double begun = cpu_seconds();
	uint8_t *slice = malloc(SLICE);
	size_t places = (size_t)names + names / 4 + 1;
	uint32_t *table = calloc(places, sizeof(*table));
	uint8_t *arena = mmap(NULL, (size_t)names * 64, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t used = 1, held = 0;
	off_t at = 0;
	ssize_t n;

	if (slice == NULL || table == NULL || arena == MAP_FAILED)
		exit(1);
	while ((n = pread(fd, slice + held, SLICE - held, at)) > 0) {
		uint8_t *line = slice, *end = slice + held + n, *newline;

		at += n;
		for (; (newline = memchr(line, '\n', (size_t)(end - line))) != NULL;
		    line = newline + 1) {
			size_t len = (size_t)(newline - line);
			uint64_t h = UINT64_C(0xcbf29ce484222325);

			for (size_t i = 0; i < len; i++)
				h = (h ^ line[i]) * UINT64_C(0x100000001b3);

			size_t place = (size_t)((h >> 32) * places >> 32);

			while (table[place] != 0)
				place = place + 1 < places ? place + 1 : 0;
			table[place] = (uint32_t)used;
			memcpy(arena + used, line, len);
			used += len;
		}
		held = (size_t)(end - line);
		memmove(slice, line, held);
	}
	free(slice);
	out->load_s = cpu_seconds() - begun;
	out->memory_mib = resident_mib() - before;
}

/* --- rounds ----------------------------------------------------------------------------------- */

static struct result
in_child(void (*measure)(int, unsigned, struct result *), int fd, unsigned names)
{
	struct result r = { 0 };
	int ends[2];
	int status;
	pid_t pid;

	if (pipe(ends) != 0 || (pid = fork()) == -1)
		exit(1);
	if (pid == 0) {
		measure(fd, names, &r);
		_exit(write(ends[1], &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
	}
	close(ends[1]);
	if (read(ends[0], &r, sizeof(r)) != (ssize_t)sizeof(r) || waitpid(pid, &status, 0) != pid)
		exit(1);
	close(ends[0]);
	return r;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Give the median of one member over the rounds. */
static double
median(const struct result *all, unsigned rounds, size_t member)
{
	double v[ROUNDS_MAX];

	for (unsigned i = 0; i < rounds; i++)
		memcpy(&v[i], (const char *)&all[i] + member, sizeof(v[i]));
	qsort(v, rounds, sizeof(v[0]), by_size);
	return v[rounds / 2];
}

static int
print(unsigned names)
{
	char name[80];

	for (unsigned i = 0; i < names; i++) {
		make_name(name, sizeof(name), i);
		puts(name);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--print") == 0)
		return print((unsigned)atoi(argv[2]));

	unsigned names = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 5;
	struct result ours[ROUNDS_MAX], least[ROUNDS_MAX], ratio[ROUNDS_MAX];
	int fd;

	if (names < 1000 || names > DNS_LIST_NAMES_MAX || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: dns_list [NAMES [ROUNDS]]\n");
		return 2;
	}
	fd = make_file(names);
	for (unsigned i = 0; i < rounds; i++) {
		least[i] = in_child(measure_reference, fd, names);
		ours[i] = in_child(measure_ours, fd, names);
		ratio[i].load_s = ours[i].load_s / least[i].load_s;
		ratio[i].memory_mib = ours[i].memory_mib / least[i].memory_mib;
	}

#define MEDIAN(of, member) median(of, rounds, offsetof(struct result, member))
	printf("%u names, %.1f MB of text, medians of %u rounds\n", names,
	    (double)lseek(fd, 0, SEEK_END) / 1e6, rounds);
	printf("              reference   hearth    ratio\n");
	printf("load s         %8.3f %8.3f %8.2f\n", MEDIAN(least, load_s), MEDIAN(ours, load_s),
	    MEDIAN(ratio, load_s));
	printf("memory MiB     %8.1f %8.1f %8.2f\n", MEDIAN(least, memory_mib),
	    MEDIAN(ours, memory_mib),
	    MEDIAN(ratio, memory_mib));
	printf("not listed ns           %8.0f\n", MEDIAN(ours, miss_ns));
	printf("listed ns               %8.0f\n", MEDIAN(ours, hit_ns));
	return 0;
}
