# What surrounds the program.
EXTRA_DIST += contrib/wireshark/hearth.lua
EXTRA_DIST += contrib/quickstart contrib/hearthd-quickstart.conf contrib/systemd/hearthd.service \
	contrib/services/Makefile contrib/services/echo/echo.c contrib/services/sntp/sntp.c
