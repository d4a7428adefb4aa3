/* SPDX-License-Identifier: ISC */
/* What an agent may do (stub.c reads the words), and what the host must see then. */
#ifndef TESTS_GUARD_CASES_H
#define TESTS_GUARD_CASES_H

#define DIED       "4.3.0 mxdirect-agent "
#define PERHAPS    "; the message may have been delivered"
#define NONSENSE   "4.3.0 mxdirect-agent gave a verdict that makes no sense"
#define COMMIT     "send:C 5000|expect:y|"
#define X10        "xxxxxxxxxx"
#define X50        X10 X10 X10 X10 X10
#define NO_VERDICT " without a verdict"
#define GONE_AWAY  "4.3.0 the program that started this run has gone away"

struct simple {
	const char *label, *words;
	int status;
	const char *line;
};

static const struct simple verdicts[] = {
	{ "sent", "send:V 0 mx[192.0.2.1]:25 250 ok", 0, "mx[192.0.2.1]:25 250 ok" },
	{ "permanent", "send:V 69 5.1.1 no such user", 69, "5.1.1 no such user" },
	{ "temporary", "send:V 75 4.4.1 refused", 75, "4.4.1 refused" },
	{ "long code", "send:V 69 5.123.456 x", 69, "5.123.456 x" },
	{ "UTF-8", "send:V 75 4.7.1 gr\xc3\xbc\xc3\x9f", 75, "4.7.1 gr\xc3\xbc\xc3\x9f" },
	{ "the longest", "long:500", 75, "4.4.1 " X50 X50 X50 X50 X50 X50 X50 X50 X50 "*" },
	{ "too long", "long:501", 75, NONSENSE },
	{ "far too long", "long:1500", 75, NONSENSE },
	{ "two verdicts", "send:V 0 first|send:V 69 5.0.0 second", 0, "first" },
	{ "two verdicts, the first broken", "send:V 1 x|send:V 0 second", 75, NONSENSE },
	{ "the whole story", "send:T 5000|eof|send:E 5000|expect:y|" COMMIT "send:V 0 ok", 0,
	  "ok" },
	{ "verdict, then death", "send:V 69 5.1.1 x|die:11", 69, "5.1.1 x" },
	{ "verdict, then SIGKILL", "send:V 0 x|die:9", 0, "x" },
	{ "verdict, then status 1", "send:V 0 x|exit:1", 0, "x" },
	{ "verdict, then noise", "send:V 0 x|flood", 0, "x" },
	{ "verdict, answer unread", "send:C 5000|ms:50|send:V 0 x", 0, "x" },
	{ "limit prolonged", "send:T 100|send:T 5000|ms:200|send:V 0 x", 0, "x" },
	{ "limit prolonged by E", "send:T 100|send:E 5000|expect:y|ms:200|send:V 0 x", 0, "x" },
	{ "a commit that came to nothing", COMMIT "send:V 75 4.5.1 x", 75, "4.5.1 x" },
};

static const struct simple malformed[] = {
	{ "status 1", "send:V 1 x", 75, NONSENSE },
	{ "status 64", "send:V 64 5.1.1 x", 75, NONSENSE },
	{ "status 069", "send:V 069 5.1.1 x", 75, NONSENSE },
	{ "status 690", "send:V 690 5.1.1 x", 75, NONSENSE },
	{ "no status", "send:V x", 75, NONSENSE },
	{ "V alone", "send:V", 75, NONSENSE },
	{ "sent without text", "send:V 0 ", 75, NONSENSE },
	{ "sent without blank", "send:V 0", 75, NONSENSE },
	{ "69 with 4", "send:V 69 4.1.1 x", 75, NONSENSE },
	{ "75 with 5", "send:V 75 5.1.1 x", 75, NONSENSE },
	{ "69 with 2", "send:V 69 2.1.1 x", 75, NONSENSE },
	{ "no code", "send:V 69 no such user", 75, NONSENSE },
	{ "code in second place", "send:V 69  5.1.1 x", 75, NONSENSE },
	{ "code without text", "send:V 69 5.1.1", 75, NONSENSE },
	{ "code with a blank", "send:V 69 5.1.1 ", 75, NONSENSE },
	{ "code with two blanks", "send:V 69 5.1.1  x", 75, NONSENSE },
	{ "code with a colon", "send:V 69 5.1.1: x", 75, NONSENSE },
	{ "code with four digits", "send:V 69 5.1.1000 x", 75, NONSENSE },
	{ "code without subject", "send:V 69 5..1 x", 75, NONSENSE },
	{ "code of two numbers", "send:V 69 5.1 x", 75, NONSENSE },
	{ "newline", "send:V 0 a\nb", 75, NONSENSE },
	{ "escape", "send:V 69 5.1.1 \x1b[2J", 75, NONSENSE },
	{ "DEL", "send:V 75 4.1.1 \x7f", 75, NONSENSE },
	{ "NUL", "nul", 75, NONSENSE },
	{ "unknown packet", "send:Q 5", 75, NONSENSE },
	{ "limit without number", "send:T", 75, NONSENSE },
	{ "limit of letters", "send:T soon", 75, NONSENSE },
	{ "limit with a sign", "send:T -5", 75, NONSENSE },
	{ "limit with a rest", "send:E 5x", 75, NONSENSE },
	{ "limit out of range", "send:C 99999999999999999999", 75, NONSENSE },
	{ "broken after the commit", COMMIT "send:V 64 x", 75,
	  "4.4.2 mxdirect-agent gave a verdict that makes no sense" PERHAPS },
	{ "broken, and it hangs on", "send:V 64 x|hang", 75, NONSENSE },
};

static const struct simple deaths[] = {
	{ "SIGSEGV", "die:11", 75, DIED "was killed by signal 11 (Segmentation fault)" NO_VERDICT },
	{ "SIGKILL", "die:9", 75, DIED "was killed by signal 9 (Killed)" NO_VERDICT },
	{ "SIGABRT", "die:6", 75, DIED "was killed by signal 6 (Aborted)" NO_VERDICT },
	{ "exit 0", "exit:0", 75, DIED "exited with status 0" NO_VERDICT },
	{ "exit 1", "exit:1", 75, DIED "exited with status 1" NO_VERDICT },
	{ "exit 69", "exit:69", 75, DIED "exited with status 69" NO_VERDICT },
	{ "exit 127", "exit:127", 75, DIED "exited with status 127" NO_VERDICT },
	{ "last words", "out:\n one\n|err:\ttwo\x1b\xff\n\n|exit:1", 75,
	  DIED "exited with status 1" NO_VERDICT ": one two??" },
	{ "many words", "err:" X50 X50 X50 X50 "y|die:6", 75,
	  DIED "was killed by signal 6 (Aborted)" NO_VERDICT ": " X50 X50 X50 X50 },
	{ "a code in the last words", "err:5.1.1 bounce me|exit:69", 75,
	  DIED "exited with status 69" NO_VERDICT ": 5.1.1 bounce me" },
	{ "a flood, then death", "flood|exit:3", 75, DIED "exited with status 3" NO_VERDICT ": *" },
	{ "a flood, then a verdict", "flood|send:V 0 x", 0, "x" },
	{ "death after E", "send:E 5000|expect:y|exit:1", 75,
	  DIED "exited with status 1" NO_VERDICT },
	{ "death after C", COMMIT "die:11", 75,
	  "4.4.2 mxdirect-agent was killed by signal 11 (Segmentation fault)" NO_VERDICT PERHAPS },
	{ "end after C", COMMIT "exit:0", 75,
	  "4.4.2 mxdirect-agent exited with status 0" NO_VERDICT PERHAPS },
	{ "last words after C", COMMIT "err:" X50 X50 X50 X50 "y|exit:0", 75,
	  "4.4.2 mxdirect-agent exited with status 0" NO_VERDICT ": " X50 X50 X50 X50 PERHAPS },
	{ "the link closed, then the end", "close:3|exit:0", 75,
	  DIED "exited with status 0" NO_VERDICT },
	{ "hang", "send:T 200|hang", 75, "4.4.7 no verdict within the time limit" },
	{ "hang without TERM", "block-term|send:T 200|hang", 75,
	  "4.4.7 no verdict within the time limit" },
	{ "stopped", "send:T 200|die:19", 75, "4.4.7 no verdict within the time limit" },
	{ "no time at all", "send:T 0|hang", 75, "4.4.7 no verdict within the time limit" },
	{ "hang after E", "send:E 200|expect:y|hang", 75,
	  "4.4.7 no verdict within the time limit" },
	{ "hang after C", "send:C 200|expect:y|hang", 75,
	  "4.4.2 no verdict within the time limit" PERHAPS },
	{ "verdict, and an orphan", "orphan|send:V 0 x", 0, "x" },
	{ "death, and an orphan", "orphan|exit:3", 75, DIED "exited with status 3" NO_VERDICT },
};

#endif
