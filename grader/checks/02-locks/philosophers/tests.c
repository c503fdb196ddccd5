/* tests.c - who may eat, who must wait, and how long.
 *
 * Each meal has a thread of its own, which takes the forks, says so, waits until the test lets it end, and puts them
 * back. So the test moves the meals like pieces on a board, and looks who eats after each move.
 */
#include "check.h"
#include "leftovers.h"
#include "philosophers.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>

static struct table *new_table(void)
{
    struct table *table = NULL;
    int error = table_create(&table);

    must(error == 0 && table != NULL, "table_create returned %s or stored no table.", error_text(error));
    return table;
}

/* The seat `steps` to the right. */
static int beside(int seat, int steps)
{
    return (seat + steps + TABLE_SEATS) % TABLE_SEATS;
}

/* ---- a meal ----------------------------------------------------------------------------------------------------- */

struct meal {
    struct table *table;
    int seat;
    struct gate eats, over;
    int take, put; /* what the calls returned */
    struct runner *runner;
};

static void eat(void *argument)
{
    struct meal *meal = argument;

    meal->take = table_take(meal->table, meal->seat);
    if (meal->take != 0)
        return;
    gate_open(&meal->eats);
    gate_pass(&meal->over);
    meal->put = table_put(meal->table, meal->seat);
}

/* Someone at this seat is hungry, from now on. */
static void meal_begin(struct meal *meal, struct table *table, int seat)
{
    *meal = (struct meal){.table = table, .seat = seat, .take = -1, .put = -1};
    meal->runner = runner_start(eat, meal);
}

/* After everything has come to rest: whether this meal is under way. */
static bool eats(struct meal *meal)
{
    settle();
    return meal->eats.open != 0;
}

static void meal_end(struct meal *meal)
{
    gate_open(&meal->over);
    runner_join(meal->runner);
}

static void must_eat(struct meal *meal, const char *why)
{
    settle();
    must(meal->take <= 0, "table_take of seat %d returned %s.", meal->seat, error_text(meal->take));
    must(eats(meal), "Seat %d should eat now, but waits: %s", meal->seat, why);
}

static void must_wait(struct meal *meal, const char *why)
{
    enum runner_state state = runner_state(meal->runner);

    must(state != RUNNER_BUSY, "Seat %d should sleep while it waits, but it keeps the processor busy.", meal->seat);
    must(!eats(meal), "Seat %d should wait now, but eats: %s", meal->seat, why);
    must(state == RUNNER_BLOCKED, "Seat %d should wait now, but table_take returned %s.", meal->seat,
         error_text(meal->take));
}

/* Ends the meal and asserts that both calls returned 0. */
static void must_end(struct meal *meal)
{
    meal_end(meal);
    must(meal->take == 0 && meal->put == 0, "table_take and table_put of seat %d returned %s and %s instead of 0.",
         meal->seat, error_text(meal->take), error_text(meal->put));
}

/* ---- forks ------------------------------------------------------------------------------------------------------ */

TEST(eats_alone, "Alone at the table everyone can eat, again and again; table_meals counts the meals.")
{
    struct table *table = new_table();

    for (int seat = 0; seat < TABLE_SEATS; seat++)
        must(table_meals(table, seat) == 0, "Before the first meal table_meals of seat %d is %ld.", seat,
             table_meals(table, seat));
    for (int seat = 0; seat < TABLE_SEATS; seat++) {
        int wrong = 0;
        for (int meal = 0; meal <= seat; meal++)
            wrong += table_take(table, seat) != 0 || table_put(table, seat) != 0;
        must(wrong == 0, "Seat %d, alone at the table: table_take or table_put returned an error.", seat);
        must(table_meals(table, seat) == seat + 1, "Seat %d has begun %d meals, and table_meals says %ld.", seat,
             seat + 1, table_meals(table, seat));
    }
    table_destroy(table);
}

TEST(
    neighbours_take_turns,
    "Neighbours never eat at the same time: who finds a neighbour eating waits, asleep, and both are woken afterwards.")
{
    for (int seat = 0; seat < TABLE_SEATS; seat++) {
        struct table *table = new_table();
        struct meal mine, left, right;

        meal_begin(&mine, table, seat);
        must_eat(&mine, "nobody else is at the table.");
        meal_begin(&left, table, beside(seat, -1));
        must_wait(&left, "its right neighbour eats.");
        meal_begin(&right, table, beside(seat, 1));
        must_wait(&right, "its left neighbour eats.");
        must(table_meals(table, left.seat) == 0, "Seat %d waits, and table_meals says that it has begun a meal.",
             left.seat);
        must_end(&mine);
        must_eat(&left, "its right neighbour has put the forks back.");
        must_eat(&right, "its left neighbour has put the forks back.");
        must_end(&left);
        must_end(&right);
        table_destroy(table);
    }
}

TEST(others_eat_meanwhile, "Who is no neighbour eats at the same time: no meal waits for a meal across the table.")
{
    for (int seat = 0; seat < TABLE_SEATS; seat++) {
        struct table *table = new_table();
        struct meal mine, other;

        meal_begin(&mine, table, seat);
        must_eat(&mine, "nobody else is at the table.");
        meal_begin(&other, table, beside(seat, 2));
        must_eat(&other, "neither of its neighbours eats or is hungry.");
        must_end(&mine);
        must_end(&other);
        table_destroy(table);
    }
}

TEST(waits_only_for_neighbours, "Where neither neighbour eats or is hungry, table_take does not wait for anyone else.")
{
    for (int seat = 0; seat < TABLE_SEATS; seat++) {
        struct table *table = new_table();
        struct meal eater, hungry, other;

        meal_begin(&eater, table, seat);
        must_eat(&eater, "nobody else is at the table.");
        meal_begin(&hungry, table, beside(seat, 1));
        must_wait(&hungry, "its left neighbour eats.");
        meal_begin(&other, table, beside(seat, 3));
        must_eat(&other, "somebody waits, but no neighbour of this seat.");
        must_end(&other);
        must_end(&eater);
        must_eat(&hungry, "its left neighbour has put the forks back.");
        must_end(&hungry);
        table_destroy(table);
    }
}

TEST(tables_are_separate, "Each table has forks of its own.")
{
    struct table *one = new_table(), *two = new_table();
    struct meal here, there;

    meal_begin(&here, one, 0);
    must_eat(&here, "nobody else is at the table.");
    meal_begin(&there, two, 1);
    must_eat(&there, "nobody else is at that table.");
    must_end(&here);
    must_end(&there);
    table_destroy(one);
    table_destroy(two);
}

TEST(woken_for_nothing, "Who wakes up looks again whether he may eat: a wait may end although nobody has signalled.")
{
    for (int seat = 0; seat < TABLE_SEATS; seat++) {
        struct table *table = new_table();
        struct meal mine, left;

        meal_begin(&mine, table, seat);
        must_eat(&mine, "nobody else is at the table.");
        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        meal_begin(&left, table, beside(seat, -1));
        must_wait(&left, "its wait ended although nobody had signalled, and its right neighbour still eats.");
        wrap_fail(WRAP_pthread_cond_wait, 0, 0);
        must_end(&mine);
        must_eat(&left, "its right neighbour has put the forks back.");
        must_end(&left);
        table_destroy(table);
    }
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

TEST(no_such_seat, "A seat that does not exist is EINVAL, and -1 meals.")
{
    static const int seats[] = {-1, TABLE_SEATS, -TABLE_SEATS, 256, 65536, 1000000, INT_MAX, INT_MIN};
    struct table *table = new_table();

    for (int i = 0; i < 8; i++) {
        must_return(EINVAL, table_take(table, seats[i]), "table_take of a seat that does not exist");
        must_return(EINVAL, table_put(table, seats[i]), "table_put of a seat that does not exist");
        must(table_meals(table, seats[i]) == -1, "There is no seat %d, and table_meals says %ld.", seats[i],
             table_meals(table, seats[i]));
    }
    table_destroy(table);
}

TEST(nobody_eats_there, "table_put of a seat at which nobody eats is EPERM, and changes nothing.")
{
    struct table *table = new_table();
    struct meal mine, hungry;

    must_return(EPERM, table_put(table, 2), "table_put of a seat at which nobody has eaten yet");
    meal_begin(&mine, table, 2);
    must_eat(&mine, "nobody else is at the table.");
    must_return(EPERM, table_put(table, 4), "table_put of a seat at which nobody eats");
    meal_begin(&hungry, table, 1);
    must_wait(&hungry, "its right neighbour eats.");
    must_return(EPERM, table_put(table, 1), "table_put of a seat at which somebody waits");
    must_wait(&hungry, "table_put of its own seat, which was refused, must not let it eat.");
    must_end(&mine);
    must_eat(&hungry, "its right neighbour has put the forks back.");
    must_end(&hungry);
    must_return(EPERM, table_put(table, 2), "table_put of a seat that has put its forks back already");
    table_destroy(table);
}

TEST(seat_is_taken, "A seat at which somebody eats or waits is EBUSY for anyone else, at once, and nothing changes.")
{
    struct table *table = new_table();
    struct meal mine, hungry;

    meal_begin(&mine, table, 3);
    must_eat(&mine, "nobody else is at the table.");
    must_return(EBUSY, table_take(table, 3), "table_take of a seat at which somebody eats");
    meal_begin(&hungry, table, 4);
    must_wait(&hungry, "its left neighbour eats.");
    must_return(EBUSY, table_take(table, 4), "table_take of a seat at which somebody waits");
    must_wait(&hungry, "its left neighbour still eats.");
    must(table_meals(table, 3) == 1 && table_meals(table, 4) == 0,
         "One meal was begun at seat 3 and none at seat 4, and table_meals says %ld and %ld.", table_meals(table, 3),
         table_meals(table, 4));
    must_end(&mine);
    must_eat(&hungry, "its left neighbour has put the forks back.");
    must_end(&hungry);
    table_destroy(table);
}

TEST(place_is_kept, "What is refused changes nothing: who waits keeps his place, whatever else is called at his seat.")
{
    struct table *table = new_table();
    struct meal meals[3];

    for (int seat = 0; seat < 3; seat++) { /* seat 1 waits for seat 0; seat 2 may have to wait for seat 1 */
        meal_begin(&meals[seat], table, seat);
        settle();
    }
    must_wait(&meals[1], "its left neighbour eats.");
    must_return(EBUSY, table_take(table, 1), "table_take of a seat at which somebody waits");
    must_return(EPERM, table_put(table, 1), "table_put of a seat at which somebody waits");
    for (int seat = 0; seat < 3; seat++)
        gate_open(&meals[seat].over);
    for (int seat = 0; seat < 3; seat++)
        must_end(&meals[seat]);
    for (int seat = 0; seat < 3; seat++)
        must(table_meals(table, seat) == 1, "Seat %d has eaten once, and table_meals says %ld.", seat,
             table_meals(table, seat));
    table_destroy(table);
}

/* ---- no deadlock ------------------------------------------------------------------------------------------------ */

static _Thread_local long points; /* at which this thread has locked or unlocked so far */

/* Holds each thread at its `at`th point. */
struct stop {
    long at;
    struct gate go;
};

static void point(void *argument)
{
    struct stop *stop = argument;

    if (++points == stop->at)
        gate_pass(&stop->go);
}

static void eat_one_stopped(void *argument)
{
    points = 0;
    eat(argument);
}

TEST(all_at_once, "If all five are hungry at once, and each is interrupted at the worst moment, all five eat.")
{
    for (long at = 1; at <= 8; at++) {
        struct table *table = new_table();
        struct stop stop = {.at = at};
        struct meal meals[TABLE_SEATS];

        points = 1000; /* the test's own thread is not stopped */
        wrap_after(WRAP_pthread_mutex_lock, point, &stop);
        wrap_after(WRAP_pthread_mutex_trylock, point, &stop);
        wrap_after(WRAP_pthread_mutex_unlock, point, &stop);
        for (int seat = 0; seat < TABLE_SEATS; seat++) {
            meals[seat] = (struct meal){.table = table, .seat = seat, .take = -1, .put = -1};
            gate_open(&meals[seat].over);
            meals[seat].runner = runner_start(eat_one_stopped, &meals[seat]);
            settle();
        }
        gate_open(&stop.go);
        for (int seat = 0; seat < TABLE_SEATS; seat++)
            must_end(&meals[seat]);
        for (int seat = 0; seat < TABLE_SEATS; seat++)
            must(table_meals(table, seat) == 1, "Everyone has eaten once, and table_meals of seat %d says %ld.", seat,
                 table_meals(table, seat));
        wrap_after(WRAP_pthread_mutex_lock, NULL, NULL);
        wrap_after(WRAP_pthread_mutex_trylock, NULL, NULL);
        wrap_after(WRAP_pthread_mutex_unlock, NULL, NULL);
        table_destroy(table);
    }
}

TEST(everyone_is_woken, "Whoever waits when all others become hungry too eats in the end: nobody is forgotten.")
{
    for (int first = 0; first < TABLE_SEATS; first++) {
        struct table *table = new_table();
        struct meal meals[TABLE_SEATS];

        for (int i = 0; i < TABLE_SEATS; i++) {
            meal_begin(&meals[i], table, beside(first, i));
            settle();
        }
        for (int i = 0; i < TABLE_SEATS; i++)
            gate_open(&meals[i].over);
        for (int i = 0; i < TABLE_SEATS; i++)
            must_end(&meals[i]);
        table_destroy(table);
    }
}

/* ---- the bound -------------------------------------------------------------------------------------------------- */

enum { GREED = 4 }; /* how often a greedy neighbour tries to eat */

/* A neighbour that is hungry again as soon as it has eaten. */
struct greedy {
    struct table *table;
    int seat;
    struct meal meals[GREED + 2];
    int tried;
    long begun; /* meals that began while somebody waited */
};

/* Ends the meal that is under way, if one is, and is hungry again; while one waits there is nothing to do. */
static void greedy_move(struct greedy *greedy)
{
    if (greedy->tried > 0) {
        struct meal *last = &greedy->meals[greedy->tried - 1];
        if (!eats(last) || greedy->tried > GREED)
            return;
        meal_end(last);
        settle();
    }
    struct meal *next = &greedy->meals[greedy->tried++];
    meal_begin(next, greedy->table, greedy->seat);
    greedy->begun += eats(next);
}

/* Lets everything that is under way end. */
static void greedy_stop(struct greedy *greedy)
{
    if (greedy->tried > 0)
        gate_open(&greedy->meals[greedy->tried - 1].over);
}

static void greedy_join(struct greedy *greedy)
{
    if (greedy->tried > 0)
        runner_join(greedy->meals[greedy->tried - 1].runner);
}

static void must_be_bounded(const struct greedy *greedy, int hungry)
{
    must(greedy->begun <= TABLE_BOUND,
         "Seat %d was hungry, and its neighbour at seat %d began %ld meals before it could eat; at most %d may begin.",
         hungry, greedy->seat, greedy->begun, TABLE_BOUND);
}

TEST(two_greedy_neighbours,
     "Two neighbours that eat in turn do not starve the one between them: each begins at most TABLE_BOUND meals before "
     "he eats.")
{
    for (int seat = 0; seat < TABLE_SEATS; seat++) {
        struct table *table = new_table();
        struct greedy left = {.table = table, .seat = beside(seat, -1)};
        struct greedy right = {.table = table, .seat = beside(seat, 1)};
        struct meal mine;

        greedy_move(&left);
        left.begun = 0; /* that one began before anyone was hungry */
        meal_begin(&mine, table, seat);
        must_wait(&mine, "its left neighbour eats.");
        for (int move = 0; move < GREED && !eats(&mine); move++) {
            greedy_move(&right);
            if (!eats(&mine))
                greedy_move(&left);
        }
        greedy_stop(&left);
        greedy_stop(&right);
        must_end(&mine);
        greedy_join(&left);
        greedy_join(&right);
        must_be_bounded(&left, seat);
        must_be_bounded(&right, seat);
        table_destroy(table);
    }
}

/* The neighbour `slow` steps away has one long meal; the one on the other side is greedy meanwhile. */
static void must_bound_one_side(int seat, int slow)
{
    struct table *table = new_table();
    struct greedy greedy = {.table = table, .seat = beside(seat, -slow)};
    struct meal mine, lasting;

    meal_begin(&lasting, table, beside(seat, slow));
    must_eat(&lasting, "nobody else is at the table.");
    meal_begin(&mine, table, seat);
    must_wait(&mine, "its neighbour eats.");
    for (int move = 0; move < GREED; move++)
        greedy_move(&greedy);
    must_be_bounded(&greedy, seat);
    greedy_stop(&greedy);
    must_end(&lasting);
    must_end(&mine);
    greedy_join(&greedy);
    table_destroy(table);
}

TEST(one_greedy_neighbour,
     "While one neighbour has a long meal, the other may not eat again and again: your place is kept on both sides.")
{
    for (int seat = 0; seat < TABLE_SEATS; seat++) {
        must_bound_one_side(seat, 1);
        must_bound_one_side(seat, -1);
    }
}

/* Seat `seat` becomes hungry when the neighbour `step` away has waited already; the other neighbour has a long meal. */
static void must_bound_who_came_first(int seat, int step)
{
    struct table *table = new_table();
    struct greedy greedy = {.table = table, .seat = beside(seat, step)};
    struct meal mine, lasting, first;

    meal_begin(&lasting, table, beside(seat, -step));
    must_eat(&lasting, "nobody else is at the table.");
    meal_begin(&first, table, beside(seat, 2 * step));
    must_eat(&first, "neither of its neighbours eats or is hungry.");
    greedy_move(&greedy);
    must_wait(&greedy.meals[0], "its neighbour eats.");
    meal_begin(&mine, table, seat);
    must_wait(&mine, "its neighbour eats.");
    must_end(&first);
    greedy.begun += eats(&greedy.meals[0]);
    for (int move = 0; move < GREED; move++)
        greedy_move(&greedy);
    must_be_bounded(&greedy, seat);
    greedy_stop(&greedy);
    must_end(&lasting);
    must_end(&mine);
    greedy_join(&greedy);
    table_destroy(table);
}

TEST(neighbour_came_first,
     "A neighbour who was hungry before you begins that one meal first, and no second one: it is at most TABLE_BOUND.")
{
    for (int seat = 0; seat < TABLE_SEATS; seat++) {
        must_bound_who_came_first(seat, 1);
        must_bound_who_came_first(seat, -1);
    }
}

TEST(bound_after_many_meals, "The bound holds after any number of meals: numbers do not begin again in the middle.")
{
    static const long meals[] = {125, 126, 253, 254, 32765, 32766, 65533, 65534};

    for (int i = 0; i < 8; i++) {
        struct table *table = new_table();
        struct greedy greedy = {.table = table, .seat = 3};
        struct meal mine, lasting;
        long wrong = 0;

        for (long meal = 0; meal < meals[i]; meal++)
            wrong += table_take(table, 0) != 0 || table_put(table, 0) != 0;
        must(wrong == 0, "Seat 0, alone at the table: table_take or table_put returned an error.");
        meal_begin(&lasting, table, 1);
        must_eat(&lasting, "nobody else is at the table.");
        meal_begin(&mine, table, 2);
        must_wait(&mine, "its neighbour eats.");
        for (int move = 0; move < GREED; move++)
            greedy_move(&greedy);
        must_be_bounded(&greedy, 2);
        greedy_stop(&greedy);
        must_end(&lasting);
        must_end(&mine);
        greedy_join(&greedy);
        table_destroy(table);
    }
}

TEST(
    slow_to_wake,
    "A hungry philosopher may be slow to wake up: a quick neighbour still begins at most TABLE_BOUND meals before him.")
{
    static struct greedy quick[2]; /* static: those who are slow to wake up still wait when the test ends */
    static struct meal mine[2];

    for (int i = 0; i < 2; i++) {
        wrap_fail(WRAP_pthread_cond_signal, 0, 0);
        wrap_fail(WRAP_pthread_cond_broadcast, 0, 0);
        quick[i] = (struct greedy){.table = new_table(), .seat = i == 0 ? 1 : 3};
        greedy_move(&quick[i]);
        quick[i].begun = 0;
        meal_begin(&mine[i], quick[i].table, 2);
        must_wait(&mine[i], "its neighbour eats.");
        wrap_fail(WRAP_pthread_cond_signal, -1, 0); /* every wake-up is on its way from now on, and does not arrive */
        wrap_fail(WRAP_pthread_cond_broadcast, -1, 0);
        for (int move = 0; move < GREED; move++)
            greedy_move(&quick[i]);
        must_be_bounded(&quick[i], 2);
    }
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

static int make_one(void)
{
    struct table *made = NULL;
    int error = table_create(&made);

    if (error == 0)
        table_destroy(made);
    return error;
}

TEST(nothing_kept, "When a part of the table cannot be made, table_create returns that error and keeps nothing.")
{
    must_keep_nothing("table_create", make_one, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("table_create", make_one, WRAP_pthread_cond_init, 1, "pthread_cond_init");
    must_keep_nothing("table_create", make_one, WRAP_pthread_cond_init, 4, "The fourth pthread_cond_init");
    must_keep_nothing("table_create", make_one, WRAP_pthread_mutex_init, 4, "The fourth pthread_mutex_init");
}

TEST(no_memory, "When there is no memory, table_create returns ENOMEM.")
{
    struct table *table = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, table_create(&table), "Without memory, table_create");
}

TEST(memory_runs_out, "When there is memory for a part of the table only, table_create keeps nothing of it.")
{
    must_bear_want("table_create", make_one);
}

TEST(ends_what_it_made, "table_destroy gives back all that the table holds: mutexes and conditions too. NULL is fine.")
{
    table_destroy(NULL);
    table_destroy(new_table());
    must_have_ended_all();
}
