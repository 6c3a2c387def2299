"""Models of a project: made, changed and removed; their keys."""

import io
import json
import logging
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from common.core.refusal import Refusal
from common.encryption import decrypt
from common.endpoints import EndpointFailed
from curator.models import (
    Assistant,
    Classification,
    Collection,
    Embedder,
    Solver,
    Teacher,
)
from curator.services import collecting, endpoints, trials
from curator.services.asking import address_of
from tests.stand_in import failure, standing_in


@pytest.fixture
def server():
    with standing_in() as server:
        yield server


@pytest.fixture
def ask_teacher(make_project, server):
    """Return what makes a teacher behind the stand-in server."""

    def make(project=None, **fields):
        given = {"base_url": server.url, "model": "stand-in", "max_in_flight": 4}
        return endpoints.create_teacher(
            project=project or make_project(), name=fields.pop("name", "Ada"), **{**given, **fields}
        )

    return make


@pytest.fixture
def asked(make_pool, make_question, ask_teacher):
    """Return what makes a teacher, and questions for it."""

    def make(count, **fields):
        teacher = ask_teacher(**fields)
        pool = make_pool(teacher.project)
        return teacher, [make_question(pool) for _each in range(count)]

    return make


def order(teacher, **fields):
    return collecting.start_collection(teacher=teacher, by=None, **fields)


def run(teacher, **fields):
    job = order(teacher, **fields)
    collecting.run_collection(job=job)
    job.refresh_from_db()
    return job


def test_the_key_travels_to_the_endpoint_and_lies_encrypted(asked, server):
    teacher, _questions = asked(1, key="sk-very-secret")

    run(teacher)

    assert server.keys == ["Bearer sk-very-secret"]
    assert b"very-secret" not in bytes(teacher.encrypted_key)


def test_two_teachers_of_a_project_do_not_share_a_name(ask_teacher):
    teacher = ask_teacher()

    with pytest.raises(Refusal, match="There is one named Ada already"):
        ask_teacher(teacher.project)


def test_an_address_that_is_none_makes_no_teacher(make_project):
    with pytest.raises(Refusal, match="'ftp://x' is none of http"):
        endpoints.create_teacher(project=make_project(), name="Ada", base_url="ftp://x")


@pytest.mark.parametrize(
    "fields", [{"max_in_flight": 0}, {"price_in_usd": Decimal(-1)}, {"temperature": 9.0}, {"name": "n" * 101}]
)
def test_a_teacher_with_a_value_out_of_range_is_refused_in_words(make_project, fields):
    with pytest.raises(Refusal, match="Ensure"):
        endpoints.create_teacher(project=make_project(), **{"name": "Ada", **fields})


@pytest.mark.parametrize("kind", [Teacher, Solver, Assistant, Embedder])
def test_a_model_of_each_kind_is_made_changed_and_removed_on_its_pages(client, make_project, kind):
    project = make_project()
    client.force_login(project.membership_set.get().user)
    word = kind.__name__.lower()
    fields = {"name": "R", "base_url": "http://127.0.0.1:9/v1", "model": "r", "key": "sk-secret"}
    fields |= {"price_in_usd": 1, "price_out_usd": 2, "max_tokens": 100, "max_in_flight": 2, "temperature": 0}

    made = client.post(f"/projects/{project.slug}/{word}s/new/", fields, follow=True)
    found = kind.objects.get()
    form = client.get(f"/{word}s/{found.pk}/edit/")
    client.post(f"/{word}s/{found.pk}/edit/", {**fields, "name": "S", "key": ""})
    found.refresh_from_db()
    assert (made.status_code, found.name, found.price_in_usd) == (200, "S", 1)
    assert decrypt(bytes(found.encrypted_key)) == "sk-secret"
    assert "sk-secret" not in made.text + form.text

    client.post(f"/{word}s/{found.pk}/remove/")
    assert not kind.objects.exists()


def test_a_key_goes_to_no_other_address_than_the_one_it_was_entered_for(ask_teacher):
    teacher = ask_teacher(key="sk-secret")

    endpoints.change_endpoint(endpoint=teacher, base_url="http://127.0.0.1:9/v1")

    assert decrypt(bytes(teacher.encrypted_key)) == ""


def test_a_key_stays_where_only_prices_change_and_goes_where_it_is_to_be_forgotten(ask_teacher):
    teacher = ask_teacher(key="sk-secret")

    endpoints.change_endpoint(endpoint=teacher, base_url=teacher.base_url, price_in_usd=Decimal(3))
    assert decrypt(bytes(teacher.encrypted_key)) == "sk-secret"
    endpoints.change_endpoint(endpoint=teacher, base_url=teacher.base_url, forget_key=True)
    assert decrypt(bytes(teacher.encrypted_key)) == ""


def test_a_model_that_has_worked_cannot_become_another(asked):
    teacher, _questions = asked(1)
    run(teacher)

    with pytest.raises(Refusal, match="kept as the work of stand-in; enter the other model as a new one"):
        endpoints.change_endpoint(endpoint=teacher, model="another")

    teacher.refresh_from_db()
    assert teacher.model == "stand-in"


def test_a_teacher_that_was_only_imported_can_be_given_an_address_and_a_model(make_trace, server):
    teacher = make_trace().teacher

    endpoints.change_endpoint(endpoint=teacher, base_url=server.url, model="r1")

    assert (teacher.base_url, teacher.model) == (server.url, "r1")


def test_a_model_that_was_asked_is_not_removed(asked):
    teacher, _questions = asked(1)
    order(teacher)

    with pytest.raises(Refusal, match="has been asked or has traces, which are kept"):
        endpoints.remove_endpoint(endpoint=teacher)

    assert Collection.objects.exists()


def test_an_assistant_that_has_sorted_is_not_removed(make_project):
    assistant = Assistant.objects.create(project=make_project(), name="Claude")
    Classification.objects.create(project=assistant.project, way="assistant", assistant=assistant)

    with pytest.raises(Refusal, match="Claude has been asked"):
        endpoints.remove_endpoint(endpoint=assistant)


def test_a_changed_name_that_is_taken_or_an_address_that_is_none_changes_nothing(ask_teacher):
    teacher = ask_teacher()
    other = ask_teacher(teacher.project, name="Grace")

    with pytest.raises(Refusal, match="There is one named Ada already"):
        endpoints.change_endpoint(endpoint=other, name="Ada")
    with pytest.raises(Refusal, match="'ftp://x' is none of http"):
        endpoints.change_endpoint(endpoint=other, base_url="ftp://x")

    other.refresh_from_db()
    assert (other.name, other.base_url) == ("Grace", teacher.base_url)


# --- presets, on the page and by command ---


@pytest.fixture
def owner(client, make_project):
    """Return a project whose owner the client is."""
    project = make_project()
    client.force_login(project.membership_set.get().user)
    return project


def new_page(client, project, kind="teacher", **given):
    return client.get(f"/projects/{project.slug}/{kind}s/new/", given)


@pytest.mark.parametrize("kind", ["teacher", "solver", "assistant"])
def test_a_preset_fills_the_form_in_without_any_script(client, owner, kind):
    form = new_page(client, owner, kind, preset="deepseek", model="deepseek-flash").context["form"]

    values = {name: form[name].value() for name in form.fields}
    assert (values["base_url"], values["model"]) == ("https://api.deepseek.com", "deepseek-flash")
    assert (values["price_in_usd"], values["price_out_usd"]) == (Decimal("0.30"), Decimal("1.20"))
    assert values["thinking_form"] == "field"
    assert json.loads(values["extra_body"]) == {"thinking": {"type": "enabled"}}
    assert "distillation for training other models" in values["terms"]


def test_the_page_says_what_the_terms_say_and_of_when_the_prices_are(client, owner):
    page = new_page(client, owner, preset="google").text

    assert "forbids training a competing model" in page
    assert "October 7, 2026" in page or "7 October 2026" in page


def test_a_price_that_is_not_known_is_asked_for(client, owner):
    page = new_page(client, owner, preset="dashscope")

    assert "What this model costs is not known here" in page.text
    assert page.context["form"]["price_in_usd"].value() is None


def test_what_a_preset_filled_in_can_be_corrected_and_is_kept(client, owner, server):
    form = new_page(client, owner, preset="openai").context["form"]
    given = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    given |= {"name": "o", "base_url": server.url, "terms": "We have a contract.", "requests_per_minute": 60}

    client.post(f"/projects/{owner.slug}/teachers/new/", given)

    teacher = Teacher.objects.get()
    assert (teacher.preset, teacher.base_url, teacher.terms) == ("openai", server.url, "We have a contract.")
    assert (teacher.extra_body, teacher.thinking_form) == ({"reasoning_effort": "high"}, "none")
    assert (teacher.requests_per_minute, teacher.tokens_per_minute) == (60, None)
    assert teacher.permits_training is None


def test_a_form_without_further_fields_shows_none(client, owner):
    page = new_page(client, owner, preset="vllm")

    assert page.context["form"]["extra_body"].value() == ""
    assert ">\nnull</textarea>" not in page.text
    assert new_page(client, owner).context["form"]["extra_body"].value() == ""


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://qianti.example.org/v1", "qianti.example.org"),
        ("http://QIANTI.example.org:80/v1", "qianti.example.org"),
        ("http://127.0.0.1:8000/v1", "qianti.example.org"),  # that name stands before this port
        ("http://localhost:8000/v1", "127.0.0.1:8000"),
        ("http://[::1]:8000", "localhost:8000"),
        ("http://0.0.0.0:8000/v1", "localhost:8000"),
    ],
)
def test_qianti_s_own_address_is_no_model(client, owner, settings, address, host):
    settings.ALLOWED_HOSTS = ["*"]
    form = new_page(client, owner, preset="vllm").context["form"]
    given = {name: form[name].value() for name in form.fields if form[name].value() is not None}

    page = client.post(
        f"/projects/{owner.slug}/teachers/new/",
        {**given, "name": "local", "base_url": address},
        SERVER_PORT="8000",
        HTTP_HOST=host,
    )

    assert "start the vLLM server on another port, as --port 8001" in page.text
    assert not Teacher.objects.exists()


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8001/v1", "https://qianti.example.org/v1", "http://192.0.2.7:8000/v1"]
)
def test_another_port_or_machine_may_be_a_model(client, owner, settings, address):
    settings.ALLOWED_HOSTS = ["*"]
    form = new_page(client, owner, preset="vllm").context["form"]
    given = {name: form[name].value() for name in form.fields if form[name].value() is not None}

    client.post(
        f"/projects/{owner.slug}/teachers/new/",
        {**given, "name": "local", "base_url": address},
        SERVER_PORT="8000",
        HTTP_HOST="qianti.example.org:8000",
    )

    assert Teacher.objects.get().base_url == address


@pytest.mark.parametrize("given", [{"preset": "nobody"}, {"preset": "deepseek", "model": "m" * 999}])
def test_a_preset_that_is_none_fills_nothing_in(client, owner, given):
    page = new_page(client, owner, **given)

    assert page.status_code == 200
    assert page.context["form"]["base_url"].value() is None


def test_the_teacher_s_page_shows_the_terms_as_text(client, owner):
    teacher = Teacher.objects.create(project=owner, name="T", terms="<b>No</b> training.")

    page = client.get(teacher.get_absolute_url()).text

    assert "&lt;b&gt;No&lt;/b&gt; training." in page


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([1], "no JSON object"),
        ({"model": "another"}, "“model” of a request is set for each question"),
        ({"n": 5}, "“n” of a request is set"),
        ({"max_tokens": None}, "max_tokens cannot stand among"),
        ({"max_completion_tokens": 10**6}, "max_completion_tokens cannot stand among"),
        ({"a": "x" * 10_000}, "longer than 10000 characters"),
    ],
)
def test_further_fields_cannot_undo_what_an_order_sets(make_project, given, why):
    with pytest.raises(Refusal, match=why):
        endpoints.create_teacher(project=make_project(), name="Ada", extra_body=given)


def test_a_preset_makes_a_teacher_and_what_is_given_goes_before_it(make_project, server):
    made = endpoints.create_from_preset(
        kind=Teacher,
        project=make_project(),
        preset="deepseek",
        model="",
        name="R",
        base_url=server.url,
        price_out_usd=Decimal(9),
    )

    assert (made.model, made.base_url) == ("deepseek-v4-pro", server.url)
    assert (made.price_in_usd, made.price_out_usd) == (Decimal("1.32"), Decimal(9))
    assert made.terms


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"preset": "nobody"}, "There is no preset “nobody”; there are: deepseek, moonshot"),
        ({"preset": "dashscope"}, "What qwen3.8-max costs at .* is not known here"),
        ({"preset": "dashscope", "price_in_usd": Decimal(1)}, "is not known here"),
    ],
)
def test_a_preset_that_does_not_suffice_is_refused_in_words(make_project, fields, why):
    with pytest.raises(Refusal, match=why):
        endpoints.create_from_preset(kind=Teacher, project=make_project(), model="", name="R", **fields)


# --- keys: kept, turned over, shown to nobody ---

SECRET = "sk-very-secret-1234"


@pytest.fixture
def two_keys(settings):
    """Return an old and a new key of the installation, of which only the old one is there yet."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]
    return old, new


def test_after_a_rotation_the_old_key_can_be_taken_away(make_project, settings, two_keys):
    old, new = two_keys
    project = make_project("law")
    made = [
        endpoints.create_endpoint(kind=kind, project=project, name="A", key=f"{SECRET}-{kind.__name__}")
        for kind in (Teacher, Solver, Assistant, Embedder)
    ]
    endpoints.create_teacher(project=project, name="B")
    settings.ENCRYPTION_KEYS = [new, old]

    done = endpoints.rotate_keys()
    settings.ENCRYPTION_KEYS = [new]

    assert (done.kept, done.rotated, done.unreadable) == (4, 4, ())
    for endpoint in made:
        endpoint.refresh_from_db()
        assert decrypt(bytes(endpoint.encrypted_key)) == f"{SECRET}-{type(endpoint).__name__}"


def test_a_key_that_cannot_be_read_is_named_and_left_as_it_is(make_project, settings, two_keys):
    _old, new = two_keys
    lost = endpoints.create_teacher(project=make_project("law"), name="Ada", key=SECRET)
    settings.ENCRYPTION_KEYS = [new]
    endpoints.create_solver(project=lost.project, name="weak", key=SECRET)

    done = endpoints.rotate_keys()

    assert (done.kept, done.rotated, done.unreadable) == (2, 1, ("teacher law/Ada",))
    kept = bytes(lost.encrypted_key)
    lost.refresh_from_db()
    assert bytes(lost.encrypted_key) == kept


def test_rotating_by_command_tells_the_counts(make_project, settings, two_keys, capfd):
    old, new = two_keys
    endpoints.create_teacher(project=make_project(), name="Ada", key=SECRET)
    settings.ENCRYPTION_KEYS = [new, old]

    call_command("rotate_keys", "--json")

    printed = capfd.readouterr()
    told = json.loads(printed.out)
    assert (told["kept"], told["rotated"], told["unreadable"]) == (1, 1, [])
    assert SECRET not in printed.out + printed.err


def test_a_key_stands_in_no_page_no_log_no_sentence_and_no_repr(client, asked, server, caplog):
    caplog.set_level(logging.DEBUG)
    teacher, _questions = asked(2, key=SECRET, money_limit_usd=Decimal(5))
    client.force_login(teacher.project.membership_set.get().user)
    server.reply_to = lambda *_: failure(401, f"The key {SECRET} is not known.")
    run(teacher)  # a key that is refused rests the order until somebody looks
    trial = trials.start_trial(endpoint=teacher, question="1+1?", agreed_usd=Decimal(0), by=None)
    with pytest.raises(EndpointFailed) as failed:
        trials.run_trial(job=trial)

    slug, kept = teacher.project.slug, teacher.collections.get()
    paths = [f"/teachers/{teacher.pk}/", f"/teachers/{teacher.pk}/edit/", f"/teachers/{teacher.pk}/try/"]
    paths += [f"/projects/{slug}/", f"/projects/{slug}/teachers/", f"/projects/{slug}/teachers/new/"]
    paths += [kept.get_absolute_url(), trial.get_absolute_url()]
    pages = {path: client.get(path) for path in paths}

    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(paths, 200)
    assert [path for path, page in pages.items() if SECRET in page.text] == []
    assert SECRET not in caplog.text
    assert [record for record in caplog.records if SECRET in str(vars(record))] == []
    assert "is not known" in kept.failure
    assert SECRET not in str(failed.value) + kept.failure
    assert SECRET not in repr(address_of(teacher)) + repr(teacher) + str(vars(teacher))
    assert server.keys[0] == f"Bearer {SECRET}"


# --- the command that adds a teacher ---


@pytest.fixture
def add_teacher(make_project, capfd):
    """Return what runs the command on a project `law` and reads its one object."""
    make_project("law")

    def run(*words):
        call_command("add_teacher", "law", *words, "--json")
        return json.loads(capfd.readouterr().out)

    return run


def test_a_teacher_is_added_from_a_preset_with_a_key_of_the_environment(add_teacher, monkeypatch):
    monkeypatch.setenv("MY_KEY", f" {SECRET}\n")

    told = add_teacher(
        "--preset", "google", "--model", "gemini-3.8-flash", "--name", "G", "--key-env", "MY_KEY"
    )

    assert (told["teacher"], told["model"], told["price_out_usd"]) == ("G", "gemini-3.8-flash", 3.75)
    assert (told["thinking_form"], told["permits_training"], told["has_key"]) == ("summary", False, True)
    assert decrypt(bytes(Teacher.objects.get().encrypted_key)) == SECRET


def test_a_key_is_read_from_stdin_and_what_is_given_goes_before_the_preset(add_teacher, monkeypatch, server):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\nmore\n"))

    words = ["--preset", "vllm", "--name", "Q", "--base-url", server.url, "--key-stdin", "--kind", "solver"]
    told = add_teacher(
        *words, "--max-in-flight", "64", "--tokens-per-minute", "90000", "--money-limit", "2.5"
    )

    solver = Solver.objects.get()
    assert (told["solver"], told["base_url"], told["price_in_usd"]) == ("Q", server.url, 0)
    assert (solver.max_in_flight, solver.tokens_per_minute) == (64, 90_000)
    assert solver.money_limit_usd == Decimal("2.5")
    assert decrypt(bytes(solver.encrypted_key)) == SECRET


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--preset", "dashscope"], "is not known here; give its price"),
        (["--base-url", "http://127.0.0.1:9/v1", "--model", "m"], "Give --price-in and --price-out"),
        (["--preset", "vllm", "--key-env", "NOT_SET"], "variable NOT_SET is not set, or empty"),
    ],
)
def test_a_teacher_that_cannot_be_added_is_refused_in_words(add_teacher, words, why):
    with pytest.raises(CommandError, match=why):
        add_teacher("--name", "A", *words)

    assert not Teacher.objects.exists()


def test_there_is_no_way_to_give_a_key_on_the_command_line(add_teacher):
    with pytest.raises(CommandError, match="key"):
        add_teacher("--name", "A", "--preset", "vllm", "--key", SECRET)
