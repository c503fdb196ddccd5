/* Thread-local variables that no two threads could have apart.
 * explore: => status 2 tls_model */
static _Thread_local volatile int variable __attribute__((tls_model("initial-exec")));

int main(void)
{
    return variable;
}
