/* region step */
int step;
