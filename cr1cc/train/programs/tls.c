/* Thread-local storage, static initialisers, threads. */
#include <pthread.h>
#include <stdio.h>

static _Thread_local int counter = 5;
static _Thread_local char name[16] = "fresh";
static int results[4];

static int bump(int by) { return counter += by; }

static void *work(void *argument) {
    int id = *(int *)argument;
    for (int i = 0; i <= id; i++) bump(id + i);
    name[0] = (char)('a' + id);
    results[id] = counter * 1000 + name[0] + name[1];
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    int ids[4];
    bump(1);
    for (int i = 0; i < 4; i++) {
        ids[i] = i;
        if (pthread_create(&threads[i], NULL, work, &ids[i])) return 99;
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++) printf("%d ", results[i]);
    printf("%d %s\n", counter, name);
    return counter;
}
