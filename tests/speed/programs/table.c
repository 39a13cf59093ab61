/* A hash table with open addressing, filled, searched and emptied. */
#include <stdint.h>
#include <stdio.h>
enum { SIZE = 1 << 17 };
static uint64_t keys[SIZE];
static uint32_t values[SIZE];
static uint32_t place(uint64_t key) { return key * 0x9e3779b97f4a7c15u >> 47; }
static void put(uint64_t key, uint32_t value) {
    uint32_t at = place(key);
    while (keys[at] && keys[at] != key) at = (at + 1) % SIZE;
    keys[at] = key, values[at] = value;
}
static uint32_t get(uint64_t key) {
    for (uint32_t at = place(key); keys[at]; at = (at + 1) % SIZE)
        if (keys[at] == key) return values[at];
    return 0;
}
int main(void) {
    uint64_t sum = 0;
    for (int round = 0; round < 45; round++) {
        for (int i = 0; i < SIZE; i++) keys[i] = 0;
        for (uint64_t i = 1; i < SIZE * 3 / 5; i++) put(i * i + round, i);
        for (uint64_t i = 1; i < SIZE; i++) sum += get(i * i + round) ^ i;
    }
    printf("%llu\n", (unsigned long long)sum);
}
