/* eas/waits: limits of those that wait, and devices that something cuts off. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "eas/waits.h"
#include "state/device.h"

static struct conf *conf;
static struct eas_waits *waits;
static struct eas_server server;

static void
begin(const char *settings)
{
	struct mf_error err;

	cr_assert_eq(conf_parse(settings, NULL, &conf, &err), MF_OK, "%s", err.text);
	waits = eas_waits_new(conf_top(conf));
	server = (struct eas_server){ .waits = waits };
}

static void
end(void)
{
	eas_waits_free(waits);
	conf_free(conf);
}

/* A request of a user's device that began so long ago. */
static struct eas_request
request(uint32_t user, struct state_device *device, int64_t waited_ms)
{
	return (struct eas_request){ .server = &server,
		.user_number = user,
		.device = device,
		.device_id = "D1",
		.device_type = "phone",
		.peer = "192.0.2.1",
		.began = clock_ms() - waited_ms };
}

Test(waits, limits_of_one_and_of_all)
{
	struct state_device d = { .number = 1 };
	struct eas_request r = request(1, &d, 0), other = request(2, &d, 0),
			   third = request(3, &d, 0);
	struct eas_waits_stats stats;

	begin("waiting_limit = 3\nwaiting_limit_user = 2\n");
	cr_assert(eas_waits_begin(waits, &r));
	cr_assert(eas_waits_begin(waits, &r));
	cr_assert(!eas_waits_begin(waits, &r), "the user has two");
	cr_assert(eas_waits_begin(waits, &other));
	cr_assert(!eas_waits_begin(waits, &third), "there are three");
	eas_waits_end(waits, &r);
	cr_assert(eas_waits_begin(waits, &third));
	eas_waits_stats(waits, &stats);
	cr_assert(stats.waiting == 3 && stats.refused == 2);
	eas_waits_end(waits, &r);
	eas_waits_end(waits, &other);
	eas_waits_end(waits, &third);
	eas_waits_stats(waits, &stats);
	cr_assert_eq(stats.waiting, 0);
	end();
}

/* How each wait of a device ends, one after the other, and how long it may wait then. */
Test(waits, what_is_cut_off_alike_is_forestalled)
{
	static const struct {
		const char *name;
		struct {
			int seconds;
			bool left;
		} waits[6]; /* up to seconds 0 */
		int most;   /* seconds that a request for 900 gets */
	} rows[] = {
		{ "three alike", { { 60, true }, { 61, true }, { 60, true } }, 54 },
		{ "two", { { 60, true }, { 60, true } }, 900 },
		{ "as phones come and go",
			{ { 20, true }, { 100, true }, { 47, true }, { 230, true } }, 900 },
		{ "two, another, two",
			{ { 60, true }, { 60, true }, { 90, true }, { 60, true }, { 60, true } },
			900 },
		{ "a long one between",
			{ { 60, true }, { 60, true }, { 300, false }, { 60, true } }, 900 },
		{ "a short one between", { { 60, true }, { 60, true }, { 5, false }, { 60, true } },
			54 },
		{ "at once", { { 1, true }, { 1, true }, { 1, true }, { 1, true } }, 900 },
		{ "minutes", { { 300, true }, { 300, true }, { 299, true } }, 269 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct state_device d = { .number = 7 }, twin = { .number = 8 };
		struct eas_request now;
		int64_t most;

		begin("");
		for (int k = 0; rows[i].waits[k].seconds > 0; k++) {
			struct eas_request r = request(1, &d, rows[i].waits[k].seconds * 1000);

			cr_assert(eas_waits_begin(waits, &r));
			r.wait.left = rows[i].waits[k].left;
			eas_waits_end(waits, &r);
		}
		now = request(1, &d, 0);
		most = (eas_wait_until(&now, 900) - clock_ms() + 500) / 1000;
		cr_assert(most >= rows[i].most - 1 && most <= rows[i].most + 1, "%s: %d",
			rows[i].name, (int)most);
		cr_assert_leq(eas_wait_until(&now, 30) - clock_ms(), 30000, "%s", rows[i].name);
		now = request(1, &twin, 0);
		cr_assert_geq(eas_wait_until(&now, 900) - clock_ms(), 899000, "%s: another device",
			rows[i].name);
		end();
	}
}
