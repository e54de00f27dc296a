#include "suite/timing/peaks.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>

#include "suite/timing/machine_watch.h"
#include "suite/timing/statistics.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace convscope {
namespace {

using Clock = std::chrono::steady_clock;

// Every loop keeps `chains` sums that do not depend on each other: an FMA takes 4 or 5 cycles and a
// core starts two in each, so fewer than 10 would wait, and more than 14 do not fit the 16
// registers of AVX2. x <- x / 2 + 1 stays near 2: nothing overflows or becomes denormal.
constexpr int chains = 12;
constexpr float factor = 0.5F, addend = 1.0F;

/// Runs `rounds` rounds of `chains` vector FMAs. Returns a value that depends on all of them.
using FmaLoop = float (*)(int64_t rounds);

#if defined(__x86_64__)

__attribute__((target("avx512f"))) float fma_avx512(int64_t rounds) {
  const __m512 a = _mm512_set1_ps(factor), b = _mm512_set1_ps(addend);
  __m512 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
  }
  for (int i = 1; i < chains; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) float fma_avx2(int64_t rounds) {
  const __m256 a = _mm256_set1_ps(factor), b = _mm256_set1_ps(addend);
  __m256 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
  }
  for (int i = 1; i < chains; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return _mm256_cvtss_f32(sums[0]);
}

#elif defined(__aarch64__)

float fma_neon(int64_t rounds) {
  const float32x4_t a = vdupq_n_f32(factor), b = vdupq_n_f32(addend);
  float32x4_t sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = vdupq_n_f32(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    // NEON overwrites the addend: x <- x + 1/2, which stops at 2^23 and overflows nothing.
    for (int i = 0; i < chains; ++i) sums[i] = vfmaq_f32(sums[i], a, b);
  }
  for (int i = 1; i < chains; ++i) sums[0] = vaddq_f32(sums[0], sums[i]);
  return vgetq_lane_f32(sums[0], 0);
}

#endif

/// Vectors of 16 bytes, which every processor that LibTorch runs on has.
float fma_generic(int64_t rounds) {
  using Vector __attribute__((vector_size(16))) = float;
  const Vector a = {factor, factor, factor, factor}, b = {addend, addend, addend, addend};
  Vector sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = a * static_cast<float>(i);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = sums[i] * a + b;
  }
  for (int i = 1; i < chains; ++i) sums[0] += sums[i];
  return sums[0][0];
}

struct FmaKind {
  std::string name;
  FmaLoop loop;
  int lanes;  ///< floats in a vector
};

FmaKind fma_kind() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return {"AVX-512", fma_avx512, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"AVX2", fma_avx2, 8};
#elif defined(__aarch64__)
  return {"NEON", fma_neon, 4};
#endif
  return {"generic", fma_generic, 4};
}

/// Threads that do the same work at the same time, `tries` times: the seconds of each try, from the
/// first that starts to the last that ends. They wait for each other spinning, since waking a
/// thread takes as long as a part of a try. Each says with `prepare` what memory it touches first,
/// so that this lies near it.
std::vector<double> timed_together(int threads, int tries, const std::function<void(int)>& prepare,
                                   const std::function<void(int)>& work) {
  std::atomic<int64_t> arrived{0};
  const auto all_arrive = [&](int64_t meeting) {
    arrived.fetch_add(1);
    while (arrived.load() < (meeting + 1) * threads) std::this_thread::yield();
  };
  struct Span {
    Clock::time_point begin, end;
  };
  std::vector<std::vector<Span>> spans(static_cast<size_t>(threads));
  const auto run = [&](int thread) {
    auto& own = spans[static_cast<size_t>(thread)];
    own.resize(static_cast<size_t>(tries));
    prepare(thread);
    for (int i = 0; i < tries; ++i) {
      all_arrive(i);
      auto& span = own[static_cast<size_t>(i)];
      span.begin = Clock::now();
      work(thread);
      span.end = Clock::now();
    }
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread) others.emplace_back(run, thread);
  run(0);
  for (std::thread& other : others) other.join();

  std::vector<double> seconds;
  for (size_t i = 0; i < static_cast<size_t>(tries); ++i) {
    Span all = spans[0][i];
    for (const auto& own : spans) {
      all.begin = std::min(all.begin, own[i].begin);
      all.end = std::max(all.end, own[i].end);
    }
    seconds.push_back(std::chrono::duration<double>(all.end - all.begin).count());
  }
  return seconds;
}

void check_threads(int threads) {
  if (threads < 1) throw std::invalid_argument("a peak needs at least one thread");
}

Peak best_of(const std::vector<double>& tries, double best) {
  return {best, best > 0 ? 100 * std::abs(median(tries) - best) / best : 0};
}

/// Bytes of the last caches of the cores that this process may use, those that they share counted
/// once. Not sysconf's, which in a virtual machine tells the host's.
size_t last_cache_bytes() {
  std::map<std::string, size_t> caches;  // by the cores that share it
  for (const int core : cores_of_this_process().allowed) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu" + std::to_string(core) + "/cache/index";
    std::string last;
    size_t kibibytes = 0;
    for (int index = 0; index < 8; ++index) {
      std::ifstream size(folder + std::to_string(index) + "/size");
      std::ifstream shared(folder + std::to_string(index) + "/shared_cpu_list");
      size_t here = 0;  // "32768K"
      if (std::string cores; size >> here && shared >> cores && here > kibibytes) {
        kibibytes = here;
        last = cores;
      }
    }
    if (kibibytes > 0) caches[last] = kibibytes * 1024;
  }
  size_t bytes = 0;
  for (const auto& [cores, size] : caches) bytes += size;
  return bytes;
}

struct Freed {
  void operator()(float* values) const { std::free(values); }
};
using Floats = std::unique_ptr<float[], Freed>;

/// Untouched, so that the thread that writes first decides where it lies.
Floats untouched(size_t count) {
  auto* values = static_cast<float*>(std::aligned_alloc(4096, count * sizeof(float)));
  if (!values) throw std::bad_alloc();
  return Floats(values);
}

void triad(float* a, const float* b, const float* c, size_t begin, size_t end) {
  constexpr float s = 3;
#if defined(__x86_64__)
  const __m128 scale = _mm_set1_ps(s);
  for (size_t i = begin; i < end; i += 4) {
    _mm_stream_ps(a + i, _mm_add_ps(_mm_load_ps(b + i), _mm_mul_ps(scale, _mm_load_ps(c + i))));
  }
  _mm_sfence();
#else
  for (size_t i = begin; i < end; ++i) a[i] = b[i] + s * c[i];
#endif
}

}  // namespace

Peak highest(const std::vector<double>& tries) {
  return best_of(tries, *std::max_element(tries.begin(), tries.end()));
}

Peak lowest(const std::vector<double>& tries) {
  return best_of(tries, *std::min_element(tries.begin(), tries.end()));
}

std::string fma_instructions() { return fma_kind().name; }

Peak fma_peak(int threads) {
  check_threads(threads);
  constexpr int tries = 200;
  const FmaKind kind = fma_kind();
  std::atomic<float> result{0};  // so that the loops are not left out
  // 2 ms of them: long against the start, and shorter than the 3 ms after which Linux lets another
  // process have the core, so that some tries are whole even where there is one.
  constexpr int64_t few_rounds = 20'000;
  const double few_seconds =
      lowest(timed_together(
                 1, 10, [](int) {}, [&](int) { result = kind.loop(few_rounds); }))
          .best;
  const auto rounds = static_cast<int64_t>(static_cast<double>(few_rounds) * 0.002 / few_seconds);
  std::vector<double> rates = timed_together(
      threads, tries, [](int) {}, [&](int) { result = kind.loop(rounds); });
  for (double& value : rates) {
    value = 2e-9 * kind.lanes * chains * static_cast<double>(rounds) * threads / value;
  }
  return highest(rates);
}

size_t triad_bytes() {
  constexpr size_t mebibyte = size_t{1} << 20;
  const auto available = static_cast<size_t>(std::max(0L, sysconf(_SC_AVPHYS_PAGES))) *
                         static_cast<size_t>(std::max(1L, sysconf(_SC_PAGESIZE)));
  const size_t wanted = std::max(64 * mebibyte, 4 * last_cache_bytes());
  const size_t bytes = std::min(wanted, std::max(mebibyte, available / 16));
  return bytes / mebibyte * mebibyte;
}

Peak triad_bandwidth(int threads) {
  check_threads(threads);
  constexpr int tries = 15;
  const size_t count = triad_bytes() / sizeof(float);
  const Floats a = untouched(count), b = untouched(count), c = untouched(count);
  // Whole pages for each thread.
  const auto part = [&](int thread) {
    return thread == threads
               ? count
               : count / 1024 * static_cast<size_t>(thread) / static_cast<size_t>(threads) * 1024;
  };
  std::vector<double> rates = timed_together(
      threads, tries,
      [&](int thread) {
        for (size_t i = part(thread); i < part(thread + 1); ++i) {
          a[i] = 0;
          b[i] = 1;
          c[i] = 2;
        }
      },
      [&](int thread) { triad(a.get(), b.get(), c.get(), part(thread), part(thread + 1)); });
  for (double& value : rates) value = 12e-9 * static_cast<double>(count) / value;
  return highest(rates);
}

}  // namespace convscope
