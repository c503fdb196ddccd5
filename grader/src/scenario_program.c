#include "scenario_program.h"

#include "memory.h"

static void not_built_tell(void *context, struct stage_result *result, const char *log)
{
    struct finding *finding =
        finding_add(context, result, SEVERITY_FAILURE, "The file does not build with the detectors switched on.");

    finding->why = "It must compile and link with gcc and with clang, with every check that they have.";
    finding->detail = memory_text(context, log);
    result->outcome = OUTCOME_FAILED;
}

/* The explorer runs scenarios under a main() of its own. */
static enum program program_of(enum flavour flavour)
{
    return flavour == FLAVOUR_EXPLORED ? PROGRAM_EXPLORED : PROGRAM_SCENARIO;
}

int scenario_program_make(void *context, struct workshop *shop, enum flavour flavour, const char **program,
                          struct stage_result *result, struct fault *fault)
{
    const char *object;
    char *log;
    struct child_result compiled;

    *program = NULL;
    if (toolchain_compile(context, shop, flavour, &object, &compiled, fault) != 0)
        return -1;
    if (object == NULL) {
        not_built_tell(context, result, compiled.err);
        return 0;
    }
    if (toolchain_link(context, shop, flavour, program_of(flavour), object, program, &log, fault) != 0)
        return -1;
    if (*program == NULL)
        not_built_tell(context, result, log);
    return 0;
}

int scenario_program_reference(void *context, struct workshop *shop, enum flavour flavour, const char **program,
                               struct fault *fault)
{
    char *log;

    if (toolchain_link(context, shop, flavour, program_of(flavour), NULL, program, &log, fault) != 0)
        return -1;
    if (*program == NULL)
        return fault_set(fault, "%s: the reference does not link with scenario.c", shop->exercise->id);
    return 0;
}
