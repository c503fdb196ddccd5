#include "trace.h"

#include "memory.h"

#include <string.h>

struct frame *trace_add(void *context, struct trace *trace)
{
    if (trace->count == TRACE_FRAMES_MAX)
        return NULL;
    trace->frames = memory_grown(context, trace->frames, trace->count + 1, sizeof *trace->frames);
    trace->frames[trace->count] = (struct frame){0};
    return &trace->frames[trace->count++];
}

const struct frame *trace_find(const struct trace *trace, const char *file)
{
    for (size_t i = 0; i < trace->count; i++) {
        const struct frame *frame = &trace->frames[i];

        if (frame->file != NULL && frame->line > 0 && strcmp(frame->file, file) == 0)
            return frame;
    }
    return NULL;
}

const char *trace_base_name(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}
