/* report_channel.c - see report_channel.h. */
#include "report_channel.h"

#include "memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { REPORT_MAX_BYTES = 4 << 20 };

static int make_key(struct report_channel *channel)
{
    unsigned char random[REPORT_KEY_BYTES];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(channel->secret + 2 * i, 3, "%02x", random[i]);
    size_t length = strlen(channel->secret);
    return pwrite(channel->key, channel->secret, length, 0) == (ssize_t)length ? 0 : -1;
}

int report_channel_open(struct report_channel *channel, struct fault *fault)
{
    channel->report = memfd_create("report", MFD_CLOEXEC);
    channel->key = memfd_create("key", MFD_CLOEXEC);
    if (channel->report >= 0 && channel->key >= 0 && fcntl(channel->report, F_SETFL, O_APPEND) == 0 &&
        make_key(channel) == 0)
        return 0;
    (void)fault_errno(fault, "cannot make the files through which a program reports");
    report_channel_close(channel);
    return -1;
}

void report_channel_close(struct report_channel *channel)
{
    if (channel->key >= 0)
        (void)close(channel->key);
    if (channel->report >= 0)
        (void)close(channel->report);
    channel->report = channel->key = -1;
}

int report_channel_read(void *context, const struct report_channel *channel, char **text, struct fault *fault)
{
    off_t size = lseek(channel->report, 0, SEEK_END);

    if (size < 0)
        return fault_errno(fault, "cannot read a program's report");
    if (size > REPORT_MAX_BYTES)
        size = REPORT_MAX_BYTES;
    *text = memory_zeroed(context, (size_t)size + 1, 1);
    if (pread(channel->report, *text, (size_t)size, 0) != (ssize_t)size)
        return fault_errno(fault, "cannot read a program's report");
    return 0;
}

bool report_channel_signed(const struct report_channel *channel, const json_t *line)
{
    const char *key = json_string_value(json_object_get(line, "key"));

    return key != NULL && strcmp(key, channel->secret) == 0;
}
