/* scenario_explore.c - main() of the scenario program under the explorer: runs the scenario that is named.
 *
 *     scenario --list        prints a line "NAME<tab>STORY" for each
 *     scenario NAME
 *
 * Theory: build/interleave runs this main() once an interleaving, so it does nothing but the scenario. Gates, tallies
 * and scenario_thread() are calls of the explorer's own (grader/explore/model_harness.c): neither gate.c nor
 * scenario_main.c is linked. What a scenario leaves behind, threads and memory, the explorer sees itself.
 */
#include "scenario.h"

#include <stdio.h>
#include <string.h>

enum { EXIT_TROUBLE = 2 };

/* The explorer's: what ends the program between the two is a finding. */
void scenario_begin(void);
void scenario_end(void);

static void list(void)
{
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++)
        printf("%s\t%s\n", scenario->name, scenario->story);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    for (const struct scenario *scenario = scenarios; argc == 2 && scenario->name != NULL; scenario++)
        if (strcmp(scenario->name, argv[1]) == 0) {
            scenario_begin();
            scenario->run();
            scenario_end();
            return 0;
        }
    return EXIT_TROUBLE;
}
