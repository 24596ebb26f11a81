/* backend: finding, modules, facets, opening all or none. */
#include "backend_help.h"

Test(backend_registry, find)
{
	static const struct {
		const char *name;
		enum mf_status status;
		const char *text; /* in the error; or the backend's name */
	} cases[] = {
		{ "null", MF_OK, "null" },
		{ "memory", MF_OK, "memory" },
		{ TEST_BUILD "/module.so", MF_OK, "module" },
		{ TEST_BUILD "/module_other.so", MF_UNSUPPORTED, "interface 77" },
		{ TEST_BUILD "/no_module.so", MF_UNSUPPORTED, "no_module.so" },
		{ "/lib/x86_64-linux-gnu/libc.so.6", MF_UNSUPPORTED, "libc" },
		{ "module.so", MF_UNSUPPORTED, "none of this name" },
		{ "", MF_UNSUPPORTED, "none of this name" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mf_backend_api *api = NULL;
		struct mf_error err = { 0 };

		cr_assert_eq(backend_find(cases[i].name, &api, &err), cases[i].status, "%s: %s",
			cases[i].name, err.text);
		if (api != NULL)
			cr_assert_str_eq(api->name, cases[i].text);
		else
			cr_assert(strstr(err.text, cases[i].text) != NULL, "%s", err.text);
	}
}

Test(backend_registry, open_all_or_none)
{
	static const struct {
		const char *text;
		enum mf_status status;
		const char *error;
	} cases[] = {
		{ "backends = {\"memory\", \"null\"}", MF_OK, "" },
		{ "backends = {\"memory\", \"memory\"}", MF_INVALID, "twice" },
		{ "backends = {\"memory\", \"" TEST_BUILD "/module.so\"}", MF_INVALID,
			"no section" },
		{ "backends = {}", MF_INVALID, "none is named" },
		{ "backends = {\"memory\", \"none\"}", MF_UNSUPPORTED, "none of this name" },
		{ "backends = {\"null\", \"memory\"}\nmemory { users = {\"nonsense\"} }",
			MF_INVALID, "users" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf_table tables[BACKENDS_MAX + 1] = { 0 };
		struct conf *conf;
		struct backends *b = NULL;
		struct mf_error err = { 0 };

		for (size_t k = 0; backend_builtin[k] != NULL; k++)
			tables[k] = (struct conf_table){ .name = backend_builtin[k]->name,
				.help = "",
				.rows = backend_builtin[k]->settings };
		cr_assert_eq(conf_parse(cases[i].text, tables, &conf, &err), MF_OK, "%s", err.text);
		cr_assert_eq(backends_open(conf, &b, &err), cases[i].status, "%s: %s",
			cases[i].text, err.text);
		if (b == NULL)
			cr_assert(strstr(err.text, cases[i].error) != NULL, "%s", err.text);
		backends_close(b);
		conf_free(conf);
	}
}

Test(backend_registry, facets)
{
	struct backend_help h;
	struct mf_session *s;
	const struct mf_backend_api *api;
	struct mf_login who = { .user = "anna", .password = "secret" };

	backend_help_open(&h, "");
	cr_assert_str_eq(backends_facet(h.b, BACKEND_STORE)->name, "memory");
	cr_assert_str_eq(backends_facet(h.b, BACKEND_SUBMIT)->name, "memory");
	cr_assert(backends_facet(h.b, BACKEND_WATCH) == NULL);
	cr_assert_eq(backends_api(h.b, 0), backends_facet(h.b, BACKEND_STORE));
	cr_assert(backends_api(h.b, 1) == NULL);
	cr_assert(backends_handle(h.b, backends_api(h.b, 0)) != NULL);
	cr_assert_eq(
		backend_session_get(h.b, BACKEND_WATCH, &who, 0, &s, &api, NULL), MF_UNSUPPORTED);
	backend_help_close(&h);
}
