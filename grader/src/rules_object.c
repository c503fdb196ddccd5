/* What the object is made of. Everything that gcc makes of plain C is known by name; what is not known is refused, so
 * that no code runs before or beside the tests, and none reaches below the C library. */
#include "rules.h"

#include "memory.h"

#include <capstone/capstone.h>
#include <fnmatch.h>
#include <string.h>

/* Sections that gcc and the assembler make of C and of -g. */
static const char *const known_sections[] = {
    ".text",     ".text.*", ".data",    ".data.*", ".bss",    ".bss.*",    ".rodata",
    ".rodata.*", ".tdata",  ".tdata.*", ".tbss",   ".tbss.*", ".eh_frame", ".note.gnu.property",
    NULL,
};

/* Sections whose code or pointers the program's start or end takes up by itself. */
static const char *const starter_sections[] = {
    ".init_array*", ".preinit_array*", ".fini_array*", ".ctors*", ".dtors*", ".init", ".fini", ".jcr", NULL,
};

/* Names that mean something to a detector, to Criterion or to the harness. */
static const char *const taken_names[] = {
    "cr_*",     "criterion_*", "wrap_*",   "__wrap_*",  "__real_*",      "__asan_*",
    "__lsan_*", "__msan_*",    "__tsan_*", "__ubsan_*", "__sanitizer_*", "__interceptor_*",
    "_vg*",     "vg_*",        "_start",   "_init",     "_fini",         NULL,
};

static bool matches_any(const char *const *patterns, const char *name)
{
    for (; *patterns != NULL; patterns++)
        if (fnmatch(*patterns, name, 0) == 0)
            return true;
    return false;
}

static void check_section(void *context, struct workshop *shop, struct object *object,
                          const struct object_section *section, struct stage_result *result)
{
    if (strcmp(section->name, ".note.GNU-stack") == 0 && section->executable) {
        rules_add(context, shop, result, "This code needs a stack that can be executed.",
                  "It takes the address of a function that stands inside another one; C has no such functions. Move it "
                  "out, and pass what it needs as an argument.",
                  0);
        return;
    }
    if (!section->allocated || section->size_bytes == 0)
        return;
    if (matches_any(starter_sections, section->name))
        rules_add(context, shop, result, "Some of this code would run before or after the program.",
                  "Constructors and destructors are not allowed: the tests, and only they, call the code.",
                  section->executable ? object_line(object, section->index, 0) : 0);
    else if (!matches_any(known_sections, section->name))
        rules_add(context, shop, result,
                  memory_format(context, "The section `%s` of the compiled file is not one that plain C makes.",
                                section->name),
                  "Attributes and pragmas that place code or data elsewhere are not allowed.",
                  section->executable ? object_line(object, section->index, 0) : 0);
    else if (section->executable && section->writable)
        rules_add(context, shop, result, "Some of this code could be changed while it runs.",
                  "Code is not data: write it in C, and let the compiler place it.", 0);
}

static void check_symbol(void *context, struct workshop *shop, struct object *object,
                         const struct object_symbol *symbol, struct stage_result *result)
{
    if (!symbol->defined)
        return;
    if (symbol->kind == OBJECT_INDIRECT_FUNCTION)
        rules_add(context, shop, result,
                  memory_format(context, "`%s` is chosen when the program starts.", symbol->name),
                  "An indirect function (the attribute ifunc) runs code before the tests do.",
                  object_definition_line(object, symbol->name));
    else if (!symbol->local && matches_any(taken_names, symbol->name))
        rules_add(context, shop, result, memory_format(context, "The name `%s` is taken.", symbol->name),
                  "Detectors and tests use names like this one themselves; choose another, or make it static.",
                  object_definition_line(object, symbol->name));
}

/* ---- instructions ---------------------------------------------------------------------------------------------- */

struct instruction_rule {
    unsigned id;
    const char *what;
    const char *why;
};

static const char why_kernel[] =
    "The exercise is to be solved with the calls that every POSIX system has; an instruction that "
    "calls the kernel would go behind the back of every check.";
static const char why_clock[] =
    "A clock of its own lets code behave otherwise when it is timed; use the calls that the exercise "
    "allows.";
static const char why_machine[] = "These exercises are in C, which compiles to nothing of this kind.";
static const char why_detector[] = "It is how a program talks to valgrind; the detectors watch, and are not talked to.";

static const struct instruction_rule x86_rules[] = {
    {X86_INS_SYSCALL, "This code calls the kernel by itself (syscall).", why_kernel},
    {X86_INS_SYSENTER, "This code calls the kernel by itself (sysenter).", why_kernel},
    {X86_INS_INT, "This code calls the kernel by itself (int).", why_kernel},
    {X86_INS_INTO, "This code interrupts itself (into).", why_machine},
    {X86_INS_INT1, "This code interrupts itself (int1).", why_machine},
    {X86_INS_INT3, "This code interrupts itself (int3).", why_machine},
    {X86_INS_RDTSC, "This code reads the processor's clock (rdtsc).", why_clock},
    {X86_INS_RDTSCP, "This code reads the processor's clock (rdtscp).", why_clock},
    {X86_INS_CPUID, "This code asks which processor it runs on (cpuid).", why_machine},
    {X86_INS_RDFSBASE, "This code reads the thread's own register (rdfsbase).", why_machine},
    {X86_INS_WRFSBASE, "This code changes the thread's own register (wrfsbase).", why_machine},
    {X86_INS_WRGSBASE, "This code changes a segment's register (wrgsbase).", why_machine},
    {X86_INS_XABORT, "This code uses hardware transactions (xabort).", why_machine},
    {X86_INS_XBEGIN, "This code uses hardware transactions (xbegin).", why_machine},
    {X86_INS_IN, "This code talks to a device (in).", why_machine},
    {X86_INS_OUT, "This code talks to a device (out).", why_machine},
    {0, NULL, NULL},
};

static const struct instruction_rule arm_rules[] = {
    {ARM64_INS_SVC, "This code calls the kernel by itself (svc).", why_kernel},
    {ARM64_INS_HVC, "This code calls the kernel's host by itself (hvc).", why_kernel},
    {0, NULL, NULL},
};

/* The instruction that opens a request to valgrind, which nothing else ever uses. */
static bool is_valgrind_request(enum object_machine machine, const cs_insn *instruction)
{
    static const uint8_t x86[] = {0x48, 0x87, 0xdb};       /* xchg %rbx,%rbx */
    static const uint8_t arm[] = {0x4a, 0x01, 0x0a, 0xaa}; /* orr x10, x10, x10 */

    if (machine == OBJECT_X86_64)
        return instruction->size == sizeof x86 && memcmp(instruction->bytes, x86, sizeof x86) == 0;
    return instruction->size == sizeof arm && memcmp(instruction->bytes, arm, sizeof arm) == 0;
}

/* The processor's counter, read on AArch64: mrs of CNTVCT_EL0 or CNTPCT_EL0. */
static bool is_arm_clock(const cs_insn *instruction)
{
    return instruction->id == ARM64_INS_MRS && strstr(instruction->op_str, "cnt") != NULL;
}

static const struct instruction_rule *rule_on(enum object_machine machine, const cs_insn *instruction)
{
    static const struct instruction_rule request = {0, "This code talks to valgrind.", why_detector};
    static const struct instruction_rule clock = {0, "This code reads the processor's clock.", why_clock};
    const struct instruction_rule *rule = machine == OBJECT_X86_64 ? x86_rules : arm_rules;

    if (is_valgrind_request(machine, instruction))
        return &request;
    if (machine == OBJECT_AARCH64 && is_arm_clock(instruction))
        return &clock;
    for (; rule->what != NULL; rule++)
        if (rule->id == instruction->id)
            return rule;
    return NULL;
}

static void check_code(void *context, struct workshop *shop, struct object *object, csh engine,
                       const struct object_section *section, struct stage_result *result)
{
    const uint8_t *code = section->bytes;
    size_t left = section->size_bytes;
    uint64_t address = 0;
    cs_insn *instruction = cs_malloc(engine);

    while (instruction != NULL && cs_disasm_iter(engine, &code, &left, &address, instruction)) {
        const struct instruction_rule *rule = rule_on(object->machine, instruction);
        if (rule != NULL)
            rules_add(context, shop, result, rule->what, rule->why,
                      object_line(object, section->index, instruction->address));
    }
    if (instruction != NULL)
        cs_free(instruction, 1);
}

static int check_instructions(void *context, struct workshop *shop, struct object *object, struct stage_result *result,
                              struct fault *fault)
{
    bool x86 = object->machine == OBJECT_X86_64;
    csh engine = 0;

    if (object->machine == OBJECT_OTHER_MACHINE)
        return fault_set(fault,
                         "this processor is neither x86-64 nor AArch64: its instructions cannot be checked here");
    cs_err error = cs_open(x86 ? CS_ARCH_X86 : CS_ARCH_ARM64, x86 ? CS_MODE_64 : CS_MODE_LITTLE_ENDIAN, &engine);
    if (error != CS_ERR_OK)
        return fault_set(fault, "capstone cannot be used: %s", cs_strerror(error));
    cs_option(engine, CS_OPT_SKIPDATA, CS_OPT_ON);
    for (size_t i = 0; i < object->section_count; i++)
        if (object->sections[i].executable && object->sections[i].bytes != NULL)
            check_code(context, shop, object, engine, &object->sections[i], result);
    cs_close(&engine);
    return 0;
}

int rules_object(void *context, struct workshop *shop, struct object *object, struct stage_result *result,
                 struct fault *fault)
{
    for (size_t i = 0; i < object->section_count; i++)
        check_section(context, shop, object, &object->sections[i], result);
    for (size_t i = 0; i < object->symbol_count; i++)
        check_symbol(context, shop, object, &object->symbols[i], result);
    return check_instructions(context, shop, object, result, fault);
}
