// Threads that share data under a lock, with data of their own, and one that is cancelled.
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, ROUNDS = 500 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static __thread int mine;
__thread int of_every_thread = 3;
static long sum;
static int ready, begun;
static volatile int cleaned;

static void begin(void) { begun += pthread_key_create(&key, NULL) == 0; }

long weigh(int round, int number) {
    switch (round % 5) {
    case 0: return number + round;
    case 1: return number * 3;
    case 2: return round / 7 - number;
    default: return (round ^ number) & 15;
    }
}

void add(long value) {
    pthread_mutex_lock(&lock);
    sum += value;
    pthread_mutex_unlock(&lock);
}

void *work(void *argument) {
    int number = *(const int *)argument;
    pthread_once(&once, begin);
    for (int round = 0; round < ROUNDS; round++) {
        mine += round & 3;
        of_every_thread ^= round;
        add(weigh(round, number));
    }
    add(mine + of_every_thread);
    pthread_setspecific(key, argument);
    return pthread_getspecific(key);
}

static void clean(void *argument) { cleaned += *(int *)argument; }

void *wait_forever(void *argument) {
    int value = 5;
    (void)argument;
    pthread_cleanup_push(clean, &value);
    __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    for (;;) pthread_testcancel();
    pthread_cleanup_pop(0);
    return NULL;
}

int run_all(void) {
    pthread_t threads[THREADS];
    int numbers[THREADS], same = 0;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i + 1;
        if (pthread_create(&threads[i], NULL, work, &numbers[i])) return -1;
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        same += result == &numbers[i];
    }
    return same;
}

int cancel_one(void) {
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, wait_forever, NULL)) return -1;
    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {}
    pthread_cancel(thread);
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED;
}

int main(void) {
    printf("%d %d\n", run_all(), cancel_one());
    printf("%ld %d %d %d\n", sum, begun, cleaned, of_every_thread);
    return 0;
}
