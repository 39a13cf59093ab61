#include <cstdio>
#include <numeric>
#include <vector>

#include "words.h"

int main() {
    const char *const parts[] = {"the", "quick\n", "brown", "fox"};
    char text[64];
    if (words_join(text, sizeof text, parts, 4) != 20 || words_join(text, 4, parts, 4) != -1)
        return 1;
    words_join(text, sizeof text, parts, 4);
    words result;
    words_count(&result, text);
    std::vector<size_t> all{result.words, result.lines, result.longest};
    std::printf("%zu %zu %zu %zu\n", result.words, result.lines, result.longest,
                std::accumulate(all.begin(), all.end(), size_t{0}));
    return result.words == 4 && result.lines == 1 && result.longest == 5 ? 0 : 2;
}
