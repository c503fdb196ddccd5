/* region outer */
/* region inner */
int step;
/* end outer */
/* end inner */
