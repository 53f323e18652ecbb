/* SPDX-License-Identifier: MIT */
#include "core/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

static char dir[64], path[96], beside[104];

static void
enter(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.32s/test_statefile.XXXXXX", tmp != NULL ? tmp : "/tmp");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	snprintf(beside, sizeof(beside), "%s.new", path);
}

static void
leave(void)
{
	unlink(path);
	unlink(beside);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static enum err
write_text(uint32_t version, const char *text)
{
	return statefile_write(path, "testkind", version, span_str(text));
}

static uint32_t version;

static enum err
read_text(struct span *got)
{
	static uint8_t out[64];
	size_t len = 0;
	enum err e = statefile_read(path, "testkind", &version, out, sizeof(out), &len);

	*got = span_of(out, len);
	return e;
}

static void
what_is_written_is_read_back(void)
{
	struct span got;
	struct stat st;

	enter();
	CU_ASSERT_EQUAL(read_text(&got), ERR_NOTFOUND);
	CU_ASSERT_EQUAL(write_text(7, "one"), OK);
	CU_ASSERT_EQUAL(read_text(&got), OK);
	CU_ASSERT_TRUE(span_equal(got, span_str("one")));
	CU_ASSERT_EQUAL(version, 7);
	CU_ASSERT_EQUAL(write_text(8, ""), OK);
	CU_ASSERT_EQUAL(read_text(&got), OK);
	CU_ASSERT_EQUAL(got.len, 0);
	CU_ASSERT_EQUAL(version, 8);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(access(beside, F_OK), -1);
	leave();
}

static size_t
slurp(uint8_t *out, size_t cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, out, cap);

	close(fd);
	CU_ASSERT_TRUE_FATAL(n > 0);
	return (size_t)n;
}

static void
spill(const uint8_t *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	CU_ASSERT_EQUAL(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void
any_damage_is_noticed(void)
{
	uint8_t bytes[256];
	struct span got;

	enter();
	CU_ASSERT_EQUAL(write_text(1, "precious numbers"), OK);

	size_t len = slurp(bytes, sizeof(bytes));

	for (size_t bit = 0; bit < len * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		spill(bytes, len);
		CU_ASSERT_EQUAL(read_text(&got), ERR_FORMAT);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++) {
		spill(bytes, cut);
		CU_ASSERT_EQUAL(read_text(&got), ERR_FORMAT);
	}
	bytes[len] = 0;
	spill(bytes, len + 1);
	CU_ASSERT_EQUAL(read_text(&got), ERR_FORMAT);
	spill(bytes, len);
	CU_ASSERT_EQUAL(read_text(&got), OK);
	leave();
}

static void
another_kind_is_refused(void)
{
	struct span got;

	enter();
	CU_ASSERT_EQUAL(statefile_write(path, "other-kd", 1, span_str("x")), OK);
	CU_ASSERT_EQUAL(read_text(&got), ERR_FORMAT);
	leave();
}

static void
sizes_are_bounded(void)
{
	uint8_t *big = calloc(1, STATEFILE_MAX + 1), small[10];
	size_t len = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(big);
	enter();
	CU_ASSERT_EQUAL(statefile_write(path, "testkind", 1, span_of(big, STATEFILE_MAX + 1)),
	    ERR_RANGE);
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	big[STATEFILE_MAX - 1] = 42;
	CU_ASSERT_EQUAL(statefile_write(path, "testkind", 1, span_of(big, STATEFILE_MAX)), OK);
	CU_ASSERT_EQUAL(statefile_read(path, "testkind", &version, small, sizeof(small), &len),
	    ERR_RANGE);
	CU_ASSERT_EQUAL(statefile_read(path, "testkind", &version, big, STATEFILE_MAX, &len), OK);
	CU_ASSERT_EQUAL(len, STATEFILE_MAX);
	CU_ASSERT_EQUAL(big[STATEFILE_MAX - 1], 42);
	CU_ASSERT_EQUAL(truncate(path, 10 << 20), 0);
	CU_ASSERT_EQUAL(statefile_read(path, "testkind", &version, big, STATEFILE_MAX, &len),
	    ERR_FORMAT);
	leave();
	free(big);
}

static void
a_write_that_fails_leaves_the_old_file(void)
{
	struct rlimit was, tiny;
	struct span got;

	enter();
	CU_ASSERT_EQUAL(write_text(1, "old"), OK);
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &was), 0);
	tiny = (struct rlimit){ .rlim_cur = 20, .rlim_max = was.rlim_max };
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	CU_ASSERT_EQUAL(write_text(2, "new"), ERR_SYS);
	CU_ASSERT_EQUAL(errno, EFBIG);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &was), 0);
	CU_ASSERT_EQUAL(read_text(&got), OK);
	CU_ASSERT_TRUE(span_equal(got, span_str("old")));
	CU_ASSERT_EQUAL(access(beside, F_OK), -1);
	CU_ASSERT_EQUAL(statefile_write("/nonexistent/state", "testkind", 1, got), ERR_SYS);
	CU_ASSERT_EQUAL(errno, ENOENT);
	leave();
}

static void
leftovers_do_not_stand_in_the_way(void)
{
	struct span got;

	enter();
	CU_ASSERT_EQUAL(mkfifo(beside, 0600), 0);
	CU_ASSERT_EQUAL(write_text(1, "one"), OK);
	CU_ASSERT_EQUAL(symlink("/nonexistent/elsewhere", beside), 0);
	CU_ASSERT_EQUAL(write_text(1, "two"), OK);
	CU_ASSERT_EQUAL(read_text(&got), OK);
	CU_ASSERT_TRUE(span_equal(got, span_str("two")));
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(read_text(&got), ERR_FORMAT);
	leave();
}

/* A writer that is killed at any moment: the file is whole, and not older than acknowledged. */
static void
a_killed_writer_leaves_a_whole_file(void)
{
	uint64_t random = unit_seed(5);
	uint32_t acknowledged = 0;

	enter();
	CU_ASSERT_EQUAL(write_text(0, "first"), OK);
	fflush(NULL);
	for (unsigned round = 0; round < 20; round++) {
		int pipes[2];

		CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);

		pid_t child = fork();

		if (child == 0) {
			for (uint32_t v = acknowledged + 1;; v++)
				if (write_text(v, "next") != OK ||
				    write(pipes[1], &v, sizeof(v)) != sizeof(v))
					_exit(1);
		}
		close(pipes[1]);

		/* Some whole writes, then a kill somewhere in the next one. */
		for (uint64_t writes = 1 + unit_random(&random) % 3; writes > 0; writes--)
			CU_ASSERT_EQUAL(read(pipes[0], &acknowledged, 4), 4);
		for (volatile uint64_t spin = unit_random(&random) % 300000; spin > 0;)
			spin = spin - 1;
		CU_ASSERT_EQUAL(kill(child, SIGKILL), 0);
		CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
		while (read(pipes[0], &acknowledged, 4) == 4)
			;
		close(pipes[0]);

		struct span got;

		CU_ASSERT_EQUAL(read_text(&got), OK);
		CU_ASSERT_TRUE(version >= acknowledged);
	}
	leave();
}

UNIT_MAIN("statefile", UNIT(what_is_written_is_read_back), UNIT(any_damage_is_noticed),
    UNIT(another_kind_is_refused), UNIT(sizes_are_bounded),
    UNIT(a_write_that_fails_leaves_the_old_file), UNIT(leftovers_do_not_stand_in_the_way),
    UNIT(a_killed_writer_leaves_a_whole_file))
