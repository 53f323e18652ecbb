dnl HEARTH_CFLAG(FLAG): append FLAG to HEARTH_CFLAGS where the compiler knows it.
AC_DEFUN([HEARTH_CFLAG], [
  AC_MSG_CHECKING([whether $CC knows $1])
  hearth_flag_save=$CFLAGS
  CFLAGS="$CFLAGS -Werror $1"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
    [AC_MSG_RESULT([yes]); HEARTH_CFLAGS="$HEARTH_CFLAGS $1"],
    [AC_MSG_RESULT([no])])
  CFLAGS=$hearth_flag_save
])
