/* stacks.c - see stacks.h. */
#include "stacks.h"

#include "memory.h"
#include "process.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <string.h>

enum { THREADS_MAX = 256 };

struct reading {
    void *context;
    Dwfl *dwfl;
    struct thread_stack *now;
};

/* Names of library functions come from the library's own table: nothing is looked for elsewhere, least of all over a
 * network. */
static int no_separate_debug_information(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                                         const char *file, const char *link, GElf_Word crc, char **found)
{
    (void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

static void name_frame(struct reading *reading, struct frame *frame, Dwarf_Addr address)
{
    Dwfl_Module *module = dwfl_addrmodule(reading->dwfl, address);
    int line = 0;

    if (module == NULL)
        return;
    frame->module = memory_text(reading->context, dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    frame->function = memory_text(reading->context, dwfl_module_addrname(module, address));
    Dwfl_Line *source = dwfl_module_getsrc(module, address);
    const char *file = source == NULL ? NULL : dwfl_lineinfo(source, NULL, &line, NULL, NULL, NULL);
    frame->file = memory_text(reading->context, trace_base_name(file));
    frame->line = file == NULL ? 0 : line;
}

static int on_frame(Dwfl_Frame *state, void *argument)
{
    struct reading *reading = argument;
    Dwarf_Addr address;
    bool exact;

    if (!dwfl_frame_pc(state, &address, &exact))
        return DWARF_CB_ABORT;
    struct frame *frame = trace_add(reading->context, &reading->now->trace);
    if (frame == NULL)
        return DWARF_CB_ABORT;
    frame->address = address;
    /* A caller's address is the one behind its call, which may be the next line. */
    name_frame(reading, frame, exact ? address : address - 1);
    return DWARF_CB_OK;
}

/* The report of the process's modules and threads; NULL with a fault where it cannot be had. */
static Dwfl *attach(pid_t pid, const Dwfl_Callbacks *callbacks, struct fault *fault)
{
    Dwfl *dwfl = dwfl_begin(callbacks);

    if (dwfl == NULL) {
        fault_set(fault, "cannot read stacks: %s", dwfl_errmsg(-1));
        return NULL;
    }
    if (dwfl_linux_proc_report(dwfl, pid) == 0 && dwfl_report_end(dwfl, NULL, NULL) == 0 &&
        dwfl_linux_proc_attach(dwfl, pid, false) == 0)
        return dwfl;
    fault_set(fault, "cannot read the stacks of process %d: %s", (int)pid, dwfl_errmsg(-1));
    dwfl_end(dwfl);
    return NULL;
}

int stacks_read(void *context, pid_t pid, struct stacks *stacks, struct fault *fault)
{
    const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                      .find_debuginfo = no_separate_debug_information};
    struct reading reading = {.context = context};
    struct pid_list threads = {0};

    *stacks = (struct stacks){0};
    reading.dwfl = attach(pid, &callbacks, fault);
    if (reading.dwfl == NULL)
        return -1;
    process_threads(context, pid, &threads);
    size_t most = threads.count < THREADS_MAX ? threads.count : THREADS_MAX;
    stacks->threads = memory_zeroed(context, most > 0 ? most : 1, sizeof *stacks->threads);
    for (size_t i = 0; i < most; i++) {
        reading.now = &stacks->threads[stacks->count];
        reading.now->tid = threads.pids[i];
        /* Also where it stops half-way, what was read is of use. */
        (void)dwfl_getthread_frames(reading.dwfl, threads.pids[i], on_frame, &reading);
        struct process_stat stat;
        if (reading.now->trace.count > 0 || process_stat(pid, threads.pids[i], &stat))
            stacks->count++;
    }
    dwfl_end(reading.dwfl);
    process_let_go(pid);
    return 0;
}
