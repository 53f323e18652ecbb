# util: bytes, numbers, errors. No sockets, no clock, no globals.
noinst_LIBRARIES += src/libutil.a
src_libutil_a_SOURCES = \
	src/util/addr.c src/util/addr.h \
	src/util/bucket.c src/util/bucket.h \
	src/util/bucket_table.c src/util/bucket_table.h \
	src/util/err.c src/util/err.h \
	src/util/file.c src/util/file.h \
	src/util/keyfile.c src/util/keyfile.h \
	src/util/mac.c src/util/mac.h \
	src/util/fifo.c src/util/fifo.h \
	src/util/mono.h \
	src/util/replay.c src/util/replay.h \
	src/util/rto.c src/util/rto.h \
	src/util/seal.c src/util/seal.h \
	src/util/seq.c src/util/seq.h \
	src/util/siphash.h \
	src/util/span.h \
	src/util/text.c src/util/text.h \
	src/util/utf8.c src/util/utf8.h \
	src/util/wire.c src/util/wire.h
