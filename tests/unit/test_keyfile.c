/* SPDX-License-Identifier: MIT */
#include "util/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

static char dir[64], path[96];
static char why[KEYFILE_WHY_MAX];

static void
enter(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.32s/test_keyfile.XXXXXX", tmp != NULL ? tmp : "/tmp");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
}

static void
leave(void)
{
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static enum err
read_key(struct span *got)
{
	static uint8_t out[16];
	size_t len;
	enum err e = keyfile_read(path, out, sizeof(out), &len, why);

	*got = span_of(out, len);
	return e;
}

static void
what_is_written_is_read_back(void)
{
	struct span got;
	struct stat st;

	enter();
	CU_ASSERT_EQUAL(keyfile_write(path, span_str("sixteen bytes ok"), why), OK);
	CU_ASSERT_STRING_EQUAL(why, "");
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(read_key(&got), OK);
	CU_ASSERT_TRUE(span_equal(got, span_str("sixteen bytes ok")));
	leave();
}

static void
a_key_is_never_overwritten(void)
{
	struct span got;

	enter();
	CU_ASSERT_EQUAL(keyfile_write(path, span_str("first"), why), OK);
	CU_ASSERT_EQUAL(keyfile_write(path, span_str("second"), why), ERR_EXISTS);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, path));
	CU_ASSERT_EQUAL(read_key(&got), OK);
	CU_ASSERT_TRUE(span_equal(got, span_str("first")));
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(symlink("nowhere", path), 0);
	CU_ASSERT_EQUAL(keyfile_write(path, span_str("third"), why), ERR_EXISTS);
	leave();
}

static void
rights_of_others_make_it_refused(void)
{
	static const mode_t open_modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0666 };
	struct span got;

	enter();
	CU_ASSERT_EQUAL(keyfile_write(path, span_str("secret"), why), OK);
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		CU_ASSERT_EQUAL(chmod(path, open_modes[i]), 0);
		CU_ASSERT_EQUAL(read_key(&got), ERR_DENIED);
		CU_ASSERT_EQUAL(got.len, 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, "chmod 600"));
	}
	CU_ASSERT_EQUAL(chmod(path, 0400), 0);
	CU_ASSERT_EQUAL(read_key(&got), OK);
	CU_ASSERT_STRING_EQUAL(why, "");
	leave();
}

static void
a_file_of_somebody_else_is_refused(void)
{
	struct span got;

	if (geteuid() != 0)
		return;
	enter();
	CU_ASSERT_EQUAL(keyfile_write(path, span_str("secret"), why), OK);
	CU_ASSERT_EQUAL(chown(path, 12345, (gid_t)-1), 0);
	CU_ASSERT_EQUAL(read_key(&got), ERR_DENIED);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "12345"));
	leave();
}

static void
only_a_regular_file_will_do(void)
{
	struct span got;

	enter();
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(read_key(&got), ERR_DENIED);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
	CU_ASSERT_EQUAL(read_key(&got), ERR_DENIED);
	CU_ASSERT_EQUAL(rmdir(path), 0);
	CU_ASSERT_EQUAL(symlink("/dev/zero", path), 0);
	CU_ASSERT_EQUAL(read_key(&got), ERR_DENIED);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "regular"));
	leave();
}

static void
a_link_to_a_private_file_is_followed(void)
{
	char target[sizeof(path) + 8];
	struct span got;

	enter();
	snprintf(target, sizeof(target), "%s.real", path);
	CU_ASSERT_EQUAL(keyfile_write(target, span_str("linked"), why), OK);
	CU_ASSERT_EQUAL(symlink(target, path), 0);
	CU_ASSERT_EQUAL(read_key(&got), OK);
	CU_ASSERT_EQUAL(chmod(target, 0644), 0);
	CU_ASSERT_EQUAL(read_key(&got), ERR_DENIED);
	CU_ASSERT_EQUAL(unlink(target), 0);
	leave();
}

static void
empty_missing_and_long_files_are_told_apart(void)
{
	struct span got;

	enter();
	CU_ASSERT_EQUAL(read_key(&got), ERR_NOTFOUND);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, path));
	CU_ASSERT_EQUAL(keyfile_write(path, span_str("seventeen bytes !"), why), OK);
	CU_ASSERT_EQUAL(read_key(&got), ERR_RANGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "longer than 16"));
	CU_ASSERT_EQUAL(truncate(path, 0), 0);
	CU_ASSERT_EQUAL(read_key(&got), ERR_RANGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "empty"));
	leave();
}

static void
what_cannot_be_written_leaves_nothing_behind(void)
{
	struct rlimit was, tiny;
	uint8_t big[KEYFILE_MAX + 1] = { 1 };

	enter();
	CU_ASSERT_EQUAL(keyfile_write(path, span_of(big, sizeof(big)), why), ERR_RANGE);
	CU_ASSERT_EQUAL(keyfile_write(path, span_of(big, 0), why), ERR_RANGE);
	CU_ASSERT_EQUAL(keyfile_write("/nonexistent/key", span_of(big, 1), why), ERR_SYS);
	CU_ASSERT_EQUAL(errno, ENOENT);

	signal(SIGXFSZ, SIG_IGN);
	/* A file-size limit stands for a full disk: the first part is written, the rest refused. */
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &was), 0);
	tiny = (struct rlimit){ .rlim_cur = 100, .rlim_max = was.rlim_max };
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	CU_ASSERT_EQUAL(keyfile_write(path, span_of(big, 200), why), ERR_SYS);
	CU_ASSERT_EQUAL(errno, EFBIG);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &was), 0);
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	leave();
}

UNIT_MAIN("keyfile", UNIT(what_is_written_is_read_back), UNIT(a_key_is_never_overwritten),
    UNIT(rights_of_others_make_it_refused), UNIT(a_file_of_somebody_else_is_refused),
    UNIT(only_a_regular_file_will_do), UNIT(a_link_to_a_private_file_is_followed),
    UNIT(empty_missing_and_long_files_are_told_apart),
    UNIT(what_cannot_be_written_leaves_nothing_behind))
