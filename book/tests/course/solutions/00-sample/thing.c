/* thing.c - a sample for the book's own checks. */

/* region state */
struct thing {
    int count;
};
/* end state */

/* region step */
int thing_step(struct thing *thing)
{
    /* region inner */
    if (thing->count < 10)
        thing->count++;
    /* end inner */
    return thing->count;
}
/* end step */
