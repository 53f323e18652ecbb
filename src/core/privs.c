/* SPDX-License-Identifier: MIT */
/*
 * Giving up root: groups first, then group, then user, as each step needs the ones after it;
 * capabilities by the bare system call, so that no library is needed for a set that is nearly
 * always empty; at last PR_SET_NO_NEW_PRIVS, after which no exec() can give anything back. Nothing
 * is trusted to have worked: the result is read back.
 */
#include "core/privs.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static bool
is_user(uid_t uid)
{
	uid_t r, e, s;

	return getresuid(&r, &e, &s) == 0 && r == uid && e == uid && s == uid;
}

static bool
is_group(gid_t gid)
{
	gid_t r, e, s;

	return getresgid(&r, &e, &s) == 0 && r == gid && e == gid && s == gid;
}

static enum err
become(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid) != 0)
		return ERR_SYS;
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0)
		return ERR_SYS;
	if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return ERR_SYS;
	/* A kernel or sandbox that says yes and does nothing must not go unnoticed. */
	if (!is_user(pw->pw_uid) || !is_group(pw->pw_gid) ||
	    (pw->pw_uid != 0 && setresuid(0, 0, 0) == 0)) {
		errno = EPERM;
		return ERR_SYS;
	}
	return OK;
}

static enum err
drop_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	uint32_t want[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, sets) != 0)
		return ERR_SYS;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		want[i] = sets[i].permitted & (uint32_t)(keep >> 32 * i);
		sets[i] = (struct __user_cap_data_struct){ .effective = want[i],
		    .permitted = want[i] };
	}
	/* Ambient ones go with the permitted and inheritable ones: capabilities(7). */
	if (syscall(SYS_capset, &head, sets) != 0)
		return ERR_SYS;
	if (syscall(SYS_capget, &head, sets) != 0)
		return ERR_SYS;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		if (sets[i].effective != want[i] || sets[i].permitted != want[i] ||
		    sets[i].inheritable != 0) {
			errno = EPERM;
			return ERR_SYS;
		}
	}
	return OK;
}

/* Find the user; getpwnam() tells "none" from "could not look" by errno alone. */
static enum err
find_user(const char *user, const struct passwd **pw)
{
	errno = 0;
	*pw = getpwnam(user);
	if (*pw != NULL)
		return OK;
	/* The errors that getpwnam(3) lists for a name that does not exist. */
	if (errno == 0 || errno == ENOENT || errno == ESRCH || errno == EBADF || errno == EPERM)
		return ERR_NOTFOUND;
	return ERR_SYS;
}

enum err
privs_drop(const char *user, uint64_t keep)
{
	enum err e = OK;

	/*
	 * Another user has no capability in force, but may take those again that it is left with.
	 */
	if (keep != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return ERR_SYS;

	if (geteuid() == 0 && *user != '\0') {
		const struct passwd *pw;

		e = find_user(user, &pw);
		if (e == OK)
			e = become(pw);
	}
	/*
	 * Not root's alone: a service manager may have given an ordinary user some to bind ports
	 * with.
	 */
	if (e == OK)
		e = drop_capabilities(keep);
	if (e == OK && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
		e = ERR_SYS;
	if (e == OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		e = ERR_SYS;
	return e;
}
