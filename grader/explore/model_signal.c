/* model_signal.c - signals. See model.h.
 */
#include "model.h"
#include <signal.h>
bool model_signal_ignored(int number)
{
    (void)number;
    return false;
}
