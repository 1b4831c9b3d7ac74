-- A server database of schema 1, as FieldCRM 0.1 left it: two organisations, a device, a report with its photo's record.

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.assortment (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    store_type text,
    product_id uuid,
    must_stock boolean,
    target_facings bigint,
    valid_from text,
    valid_to text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.attachment (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    submission_id uuid,
    visit_id uuid,
    outlet_id uuid,
    node text,
    sha256 text,
    size bigint,
    mime text,
    width bigint,
    height bigint,
    taken_at bigint,
    lat_e7 bigint,
    lon_e7 bigint,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.auth_account (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    login text NOT NULL,
    password_hash text NOT NULL,
    person_id uuid NOT NULL,
    role text NOT NULL,
    active boolean NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE public.auth_organisation (
    org_id uuid NOT NULL,
    code text NOT NULL
);

CREATE TABLE public.auth_quarantine (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    device_no integer NOT NULL,
    received_at bigint NOT NULL,
    size bigint DEFAULT 0 NOT NULL,
    body bytea NOT NULL
);

CREATE TABLE public.auth_session (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    device_no integer NOT NULL,
    generation integer NOT NULL,
    used_generation integer NOT NULL,
    revoked_at bigint
);

CREATE TABLE public.auth_token (
    org_id uuid NOT NULL,
    hash bytea NOT NULL,
    session_id uuid NOT NULL,
    kind text NOT NULL,
    generation integer NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT auth_token_kind_check CHECK ((kind = ANY (ARRAY['access'::text, 'refresh'::text])))
);

CREATE TABLE public.blob (
    org_id uuid NOT NULL,
    sha256 text NOT NULL,
    size bigint NOT NULL,
    mime text NOT NULL,
    received_at bigint NOT NULL
);

CREATE TABLE public.blob_upload (
    org_id uuid NOT NULL,
    sha256 text NOT NULL,
    size bigint NOT NULL,
    mime text NOT NULL,
    started_at bigint NOT NULL
);

CREATE TABLE public.bucket_digest (
    org_id uuid NOT NULL,
    bucket text NOT NULL,
    rows bigint NOT NULL,
    sum text NOT NULL
);

CREATE TABLE public.bucket_grant (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    bucket text NOT NULL,
    granted_rev bigint NOT NULL,
    revoked_rev bigint
);

CREATE TABLE public.bucket_row (
    org_id uuid NOT NULL,
    bucket text NOT NULL,
    collection smallint NOT NULL,
    id uuid NOT NULL,
    rev bigint NOT NULL,
    entry smallint NOT NULL
);

CREATE TABLE public.conflict (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    collection text,
    record_id uuid,
    field text,
    kept text,
    lost text,
    person_id uuid,
    state text,
    outlet_id uuid,
    at bigint,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.contact (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    outlet_id uuid,
    name text,
    job text,
    phone text,
    email text,
    note text,
    preferred boolean,
    last_contact_at bigint,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.device (
    org_id uuid NOT NULL,
    device_no integer NOT NULL,
    user_id uuid NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    parent_no integer,
    last_seq bigint DEFAULT 0 NOT NULL,
    schema_version integer DEFAULT 0 NOT NULL,
    cursor_rev bigint DEFAULT 0 NOT NULL,
    created_at bigint NOT NULL,
    last_seen bigint,
    revoked_at bigint
);

CREATE TABLE public.form (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    name text,
    version text,
    xform text,
    title text,
    active boolean,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.note (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    outlet_id uuid,
    person_id uuid,
    text text,
    written_at bigint,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.observation (
    org_id uuid NOT NULL,
    submission_id uuid NOT NULL,
    line integer NOT NULL,
    visit_id uuid NOT NULL,
    outlet_id uuid NOT NULL,
    product_id uuid NOT NULL,
    observed_at bigint NOT NULL,
    state text NOT NULL,
    facings integer,
    price_minor integer,
    basis text NOT NULL,
    current boolean NOT NULL
);

CREATE TABLE public.op_result (
    org_id uuid NOT NULL,
    op_id text NOT NULL,
    device_no integer NOT NULL,
    op_seq bigint NOT NULL,
    collection smallint NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL,
    rev bigint NOT NULL,
    detail text,
    at bigint NOT NULL
);

CREATE TABLE public.org (
    org_id uuid NOT NULL,
    name text NOT NULL,
    epoch integer DEFAULT 1 NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE public.org_rev (
    org_id uuid NOT NULL,
    last_rev bigint NOT NULL,
    compact_floor bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.outlet (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    name text,
    banner text,
    group_name text,
    store_type text,
    sector_id uuid,
    lat_e7 bigint,
    lon_e7 bigint,
    house_number text,
    street text,
    postcode text,
    city text,
    country text,
    phone text,
    email text,
    website text,
    opening_hours text,
    zone text,
    siret text,
    segment text,
    state text,
    visit_interval_days bigint,
    visit_minutes bigint,
    surface_m2 bigint,
    custom text,
    provenance text,
    preferred_slots text,
    confirmed_at bigint,
    note text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.outlet_alias (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    outlet_id uuid,
    alias_id uuid,
    active boolean,
    reason text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.outlet_source (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    outlet_id uuid,
    source text,
    reference text,
    licence text,
    imported_at bigint,
    "values" text,
    batch text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.person (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    name text,
    role text,
    active boolean,
    home_lat_e7 bigint,
    home_lon_e7 bigint,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.plan (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    person_id uuid,
    sector_id uuid,
    day text,
    starts bigint,
    ends bigint,
    lunch_minutes bigint,
    home_lat_e7 bigint,
    home_lon_e7 bigint,
    travel text,
    left_out text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.plan_stop (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    plan_id uuid,
    outlet_id uuid,
    "position" bigint,
    arrive bigint,
    leave bigint,
    travel_minutes bigint,
    reasons text,
    state text,
    skip_reason text,
    pinned boolean,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.price (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    product_id uuid,
    store_type text,
    amount_minor bigint,
    valid_from text,
    valid_to text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.product (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    ean text,
    name text,
    brand text,
    category text,
    own boolean,
    "position" bigint,
    active boolean,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.review (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    submission_id uuid,
    visit_id uuid,
    outlet_id uuid,
    decision text,
    reason text,
    note text,
    nodes text,
    person_id uuid,
    decided_at bigint,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.sector (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    code text,
    name text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.sector_assignment (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    outlet_id uuid,
    sector_id uuid,
    valid_from text,
    valid_to text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.sector_member (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    person_id uuid,
    sector_id uuid,
    valid_from text,
    valid_to text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.server_schema (
    version integer NOT NULL
);

CREATE SEQUENCE public.server_schema_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.server_schema_version_seq OWNED BY public.server_schema.version;

CREATE TABLE public.setting (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    key text,
    value text,
    valid_from text,
    valid_to text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.submission (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    visit_id uuid,
    outlet_id uuid,
    person_id uuid,
    form text,
    form_version text,
    answers text,
    started_at bigint,
    submitted_at bigint,
    supersedes_id uuid,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.task (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    outlet_id uuid,
    kind text,
    title text,
    due text,
    state text,
    person_id uuid,
    promised_by text,
    done_at bigint,
    visit_id uuid,
    submission_id uuid,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

CREATE TABLE public.visit (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    outlet_id uuid,
    person_id uuid,
    stop_id uuid,
    started_at bigint,
    ended_at bigint,
    zone text,
    position_source text,
    lat_e7 bigint,
    lon_e7 bigint,
    accuracy_m bigint,
    distance_m bigint,
    note text,
    rev bigint NOT NULL,
    frev text NOT NULL,
    deleted_rev bigint
);

ALTER TABLE ONLY public.server_schema ALTER COLUMN version SET DEFAULT nextval('public.server_schema_version_seq'::regclass);

INSERT INTO public.attachment VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-77c6-96f3-d020ef04295e', '01a1f82f-1e80-7c90-9ca5-b8f4cc9ce27a', '01a1f82f-1e80-77c7-99da-eabb8378033d', '01a1f82f-1e80-722a-acad-39f816b2f5d8', '/photo', '8619f68045e1398d39e87f0691c9777a9bd6159362530761633c38a77d25ba8c', 19, 'image/jpeg', NULL, NULL, NULL, NULL, NULL, 1099511627785, '{"*":[1099511627785,1]}', NULL);

INSERT INTO public.auth_account VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-72d3-94ee-dc73b444a726', 'rita', '$argon2id$v=19$m=8,t=1,p=1$7jcSFtFkirLBx0tqAjCWPQ$bMKYvi5ww41W5qpoA9GZOJ1Vdc7SAodUO7afGq3laoc', '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', 'rep', true, 1795165200000);
INSERT INTO public.auth_account VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7716-9400-d330020aa409', 'omar', '$argon2id$v=19$m=8,t=1,p=1$aNNRBJ87ciZ/DP95+B6Y+A$q50swv6jcs7IOWyrcrr1Z/OYeQDMKDISdUcwZ/AFsOM', '01a1f82f-1e80-7c10-af98-2638edceaaa6', 'rep', true, 1795165200000);
INSERT INTO public.auth_account VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7b69-9c4d-8149d478b941', 'mona', '$argon2id$v=19$m=8,t=1,p=1$qJo/Zmm/sgTznp9XvK4Nkg$ryLc7TmC58aPJR3w1eHd0BthZexrHUtuxx8J61nQ89E', '01a1f82f-1e80-7889-a6e8-4d243946ff57', 'manager', true, 1795165200000);
INSERT INTO public.auth_account VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-72ae-8897-bc049119fd2d', 'rita', '$argon2id$v=19$m=8,t=1,p=1$RSROjxheg6PI0Xn5TJmrLw$U/2wk8nyRTHeQji0uHzySTZ/CjCOPYgOX4lXYv5oBwo', '01a1f82f-1e80-72a0-92a5-20cea99cdff9', 'rep', true, 1795165200000);
INSERT INTO public.auth_account VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-756d-8a9f-4c17581a7a4e', 'omar', '$argon2id$v=19$m=8,t=1,p=1$FZRdzMVRzFFJnwjzFtza5Q$XMKaE4MjzFvrrZLkaThBzNyOETj+RDWaI6t+flaXU40', '01a1f82f-1e80-7349-bc06-a6d270229138', 'rep', true, 1795165200000);
INSERT INTO public.auth_account VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-71d7-92d8-09dc0c6febec', 'mona', '$argon2id$v=19$m=8,t=1,p=1$YsyQHAXeMMuETZbYZKIc/w$VACITbv9Q5Gvnrh1AGBI7aXxhOI6czm2KDPp5PjU4aA', '01a1f82f-1e80-7a14-aa91-10ac56969f08', 'manager', true, 1795165200000);

INSERT INTO public.auth_organisation VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'verne');
INSERT INTO public.auth_organisation VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'rival');

INSERT INTO public.auth_session VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a200b9-2643-7272-9235-fa8434d6b102', '01a1f82f-1e80-72d3-94ee-dc73b444a726', 1, 1, 1, NULL);

INSERT INTO public.auth_token VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '\xb9c7297fe41903ac041aa8519294a6f0f0990cdeb572743d7634dd643f92cd41', '01a200b9-2643-7272-9235-fa8434d6b102', 'access', 1, 1795309363683);
INSERT INTO public.auth_token VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '\xb39a82e89a1f16485c5af86a85b9bf47b651df540214361e82185e17684d3fcb', '01a200b9-2643-7272-9235-fa8434d6b102', 'refresh', 1, 1803084463683);

INSERT INTO public.blob VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '8619f68045e1398d39e87f0691c9777a9bd6159362530761633c38a77d25ba8c', 19, 'image/jpeg', 1795308463861);

INSERT INTO public.bucket_digest VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 10, 'da07a6ec943a9bb7');
INSERT INTO public.bucket_digest VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'sector:01a1f82f1e80708db1bd3afc070724f2', 1, '68bfe08d65fe7d45');
INSERT INTO public.bucket_digest VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 10, '9b5438bf2181ab9e');
INSERT INTO public.bucket_digest VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'sector:01a1f82f1e807f04ad1acfd5857388fe', 1, '21ca78c3c72f40e6');
INSERT INTO public.bucket_digest VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'sector:01a1f82f1e8079f1b1c1b9361b9c98d6', 1, 'e739e961c2e1c66c');
INSERT INTO public.bucket_digest VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'sector:01a1f82f1e807e6bb0e2a35d52d62907', 4, '395adf06960f3c75');

INSERT INTO public.bucket_grant VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', 'org', 1099511627784, NULL);
INSERT INTO public.bucket_grant VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', 'sector:01a1f82f1e807e6bb0e2a35d52d62907', 1099511627784, NULL);
INSERT INTO public.bucket_grant VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', 'user:01a1f82f1e807f3eb3b301fd84d0f451', 1099511627784, NULL);

INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 1, '01a1f82f-1e80-7dda-be30-6446614f33c5', 1099511627777, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 2, '01a1f82f-1e80-7e6b-b0e2-a35d52d62907', 1099511627778, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 2, '01a1f82f-1e80-708d-b1bd-3afc070724f2', 1099511627779, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 3, '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', 1099511627780, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 4, '01a1f82f-1e80-7cb0-a43d-5ef501d2037d', 1099511627780, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 3, '01a1f82f-1e80-7c10-af98-2638edceaaa6', 1099511627781, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 4, '01a1f82f-1e80-7cea-8b9c-2382f4a137de', 1099511627781, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 3, '01a1f82f-1e80-7889-a6e8-4d243946ff57', 1099511627782, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 4, '01a1f82f-1e80-70b4-a12a-cb05bbf9bc71', 1099511627782, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'org', 4, '01a1f82f-1e80-79f6-bb95-cef945e08d8e', 1099511627782, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'sector:01a1f82f1e80708db1bd3afc070724f2', 8, '01a1f82f-1e80-7b96-85e6-50b96c19a34c', 1099511627784, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 1, '01a1f82f-1e80-7436-aa45-e52c416b655a', 1099511627777, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 2, '01a1f82f-1e80-7f04-ad1a-cfd5857388fe', 1099511627778, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 2, '01a1f82f-1e80-79f1-b1c1-b9361b9c98d6', 1099511627779, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 3, '01a1f82f-1e80-72a0-92a5-20cea99cdff9', 1099511627780, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 4, '01a1f82f-1e80-7a9c-982f-521d025f7db3', 1099511627780, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 3, '01a1f82f-1e80-7349-bc06-a6d270229138', 1099511627781, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 4, '01a1f82f-1e80-75f3-a4dc-c5eb1c9e2c5c', 1099511627781, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 3, '01a1f82f-1e80-7a14-aa91-10ac56969f08', 1099511627782, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 4, '01a1f82f-1e80-7423-a033-1d3f3d59d280', 1099511627782, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'org', 4, '01a1f82f-1e80-756e-acf7-e15f7e05aed7', 1099511627782, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'sector:01a1f82f1e807f04ad1acfd5857388fe', 8, '01a1f82f-1e80-7793-9e8d-56a5514c563a', 1099511627783, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'sector:01a1f82f1e8079f1b1c1b9361b9c98d6', 8, '01a1f82f-1e80-7ace-b704-fbdcb051a8d8', 1099511627784, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'sector:01a1f82f1e807e6bb0e2a35d52d62907', 14, '01a1f82f-1e80-77c7-99da-eabb8378033d', 1099511627785, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'sector:01a1f82f1e807e6bb0e2a35d52d62907', 15, '01a1f82f-1e80-7c90-9ca5-b8f4cc9ce27a', 1099511627785, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'sector:01a1f82f1e807e6bb0e2a35d52d62907', 16, '01a1f82f-1e80-77c6-96f3-d020ef04295e', 1099511627785, 1);
INSERT INTO public.bucket_row VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'sector:01a1f82f1e807e6bb0e2a35d52d62907', 8, '01a1f82f-1e80-722a-acad-39f816b2f5d8', 1099511627786, 1);

INSERT INTO public.device VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 1, '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', 'bare', NULL, 4, 1, 1099511627785, 1795308463683, 1795308464006, NULL);

INSERT INTO public.op_result VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'a701802609aabd876925166d42cf8da3', 1, 1, 14, '01a1f82f-1e80-77c7-99da-eabb8378033d', 'applied', 1099511627785, NULL, 1795308463891);
INSERT INTO public.op_result VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'ac7179a3ea0710ae2d2c98c84ebdc497', 1, 2, 15, '01a1f82f-1e80-7c90-9ca5-b8f4cc9ce27a', 'applied', 1099511627785, NULL, 1795308463891);
INSERT INTO public.op_result VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'e53937442f58a87f5335ed85d0f225be', 1, 3, 16, '01a1f82f-1e80-77c6-96f3-d020ef04295e', 'applied', 1099511627785, NULL, 1795308463891);
INSERT INTO public.op_result VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'eaf6b44a6975e85e4995eee67329d85f', 1, 4, 8, '01a1f82f-1e80-722a-acad-39f816b2f5d8', 'applied', 1099511627786, NULL, 1795308464006);

INSERT INTO public.org VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 'Company3-8E890E', 1, 1795165200000);
INSERT INTO public.org VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 'Company4-Baea96', 1, 1795165200000);

INSERT INTO public.org_rev VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', 1099511627784, 0);
INSERT INTO public.org_rev VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', 1099511627786, 0);

INSERT INTO public.outlet VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7b96-85e6-50b96c19a34c', 'East shop', NULL, NULL, 'kiosk', '01a1f82f-1e80-708d-b1bd-3afc070724f2', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'Europe/Paris', NULL, NULL, 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1099511627784, '{"*":[1099511627784,0]}', NULL);
INSERT INTO public.outlet VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-7793-9e8d-56a5514c563a', 'West shop', NULL, NULL, 'kiosk', '01a1f82f-1e80-7f04-ad1a-cfd5857388fe', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'Europe/Paris', NULL, NULL, 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1099511627783, '{"*":[1099511627783,0]}', NULL);
INSERT INTO public.outlet VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-7ace-b704-fbdcb051a8d8', 'East shop', NULL, NULL, 'kiosk', '01a1f82f-1e80-79f1-b1c1-b9361b9c98d6', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'Europe/Paris', NULL, NULL, 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1099511627784, '{"*":[1099511627784,0]}', NULL);
INSERT INTO public.outlet VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-722a-acad-39f816b2f5d8', 'West shop', NULL, NULL, 'kiosk', '01a1f82f-1e80-7e6b-b0e2-a35d52d62907', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '+33 1', NULL, NULL, NULL, 'Europe/Paris', NULL, NULL, 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1099511627786, '{"*":[1099511627783,0],"phone":[1099511627786,1]}', NULL);

INSERT INTO public.person VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', 'Rita', 'rep', true, NULL, NULL, 1099511627780, '{"*":[1099511627780,0]}', NULL);
INSERT INTO public.person VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7c10-af98-2638edceaaa6', 'Omar', 'rep', true, NULL, NULL, 1099511627781, '{"*":[1099511627781,0]}', NULL);
INSERT INTO public.person VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7889-a6e8-4d243946ff57', 'Mona', 'manager', true, NULL, NULL, 1099511627782, '{"*":[1099511627782,0]}', NULL);
INSERT INTO public.person VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-72a0-92a5-20cea99cdff9', 'Rita', 'rep', true, NULL, NULL, 1099511627780, '{"*":[1099511627780,0]}', NULL);
INSERT INTO public.person VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-7349-bc06-a6d270229138', 'Omar', 'rep', true, NULL, NULL, 1099511627781, '{"*":[1099511627781,0]}', NULL);
INSERT INTO public.person VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-7a14-aa91-10ac56969f08', 'Mona', 'manager', true, NULL, NULL, 1099511627782, '{"*":[1099511627782,0]}', NULL);

INSERT INTO public.sector VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7e6b-b0e2-a35d52d62907', 'west', 'West', 1099511627778, '{"*":[1099511627778,0]}', NULL);
INSERT INTO public.sector VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-708d-b1bd-3afc070724f2', 'east', 'East', 1099511627779, '{"*":[1099511627779,0]}', NULL);
INSERT INTO public.sector VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-7f04-ad1a-cfd5857388fe', 'west', 'West', 1099511627778, '{"*":[1099511627778,0]}', NULL);
INSERT INTO public.sector VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-79f1-b1c1-b9361b9c98d6', 'east', 'East', 1099511627779, '{"*":[1099511627779,0]}', NULL);

INSERT INTO public.sector_member VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7cb0-a43d-5ef501d2037d', '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', '01a1f82f-1e80-7e6b-b0e2-a35d52d62907', '2026-01-01', NULL, 1099511627780, '{"*":[1099511627780,0]}', NULL);
INSERT INTO public.sector_member VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7cea-8b9c-2382f4a137de', '01a1f82f-1e80-7c10-af98-2638edceaaa6', '01a1f82f-1e80-708d-b1bd-3afc070724f2', '2026-01-01', NULL, 1099511627781, '{"*":[1099511627781,0]}', NULL);
INSERT INTO public.sector_member VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-70b4-a12a-cb05bbf9bc71', '01a1f82f-1e80-7889-a6e8-4d243946ff57', '01a1f82f-1e80-7e6b-b0e2-a35d52d62907', '2026-01-01', NULL, 1099511627782, '{"*":[1099511627782,0]}', NULL);
INSERT INTO public.sector_member VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-79f6-bb95-cef945e08d8e', '01a1f82f-1e80-7889-a6e8-4d243946ff57', '01a1f82f-1e80-708d-b1bd-3afc070724f2', '2026-01-01', NULL, 1099511627782, '{"*":[1099511627782,0]}', NULL);
INSERT INTO public.sector_member VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-7a9c-982f-521d025f7db3', '01a1f82f-1e80-72a0-92a5-20cea99cdff9', '01a1f82f-1e80-7f04-ad1a-cfd5857388fe', '2026-01-01', NULL, 1099511627780, '{"*":[1099511627780,0]}', NULL);
INSERT INTO public.sector_member VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-75f3-a4dc-c5eb1c9e2c5c', '01a1f82f-1e80-7349-bc06-a6d270229138', '01a1f82f-1e80-79f1-b1c1-b9361b9c98d6', '2026-01-01', NULL, 1099511627781, '{"*":[1099511627781,0]}', NULL);
INSERT INTO public.sector_member VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-7423-a033-1d3f3d59d280', '01a1f82f-1e80-7a14-aa91-10ac56969f08', '01a1f82f-1e80-7f04-ad1a-cfd5857388fe', '2026-01-01', NULL, 1099511627782, '{"*":[1099511627782,0]}', NULL);
INSERT INTO public.sector_member VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-756e-acf7-e15f7e05aed7', '01a1f82f-1e80-7a14-aa91-10ac56969f08', '01a1f82f-1e80-79f1-b1c1-b9361b9c98d6', '2026-01-01', NULL, 1099511627782, '{"*":[1099511627782,0]}', NULL);

INSERT INTO public.server_schema VALUES (1);

INSERT INTO public.setting VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7dda-be30-6446614f33c5', 'organisation', '{"name":"Company3-8E890E"}', NULL, NULL, 1099511627777, '{"*":[1099511627777,0]}', NULL);
INSERT INTO public.setting VALUES ('01a1f82f-1e80-79b9-9d9c-1aeefd91ee93', '01a1f82f-1e80-7436-aa45-e52c416b655a', 'organisation', '{"name":"Company4-Baea96"}', NULL, NULL, 1099511627777, '{"*":[1099511627777,0]}', NULL);

INSERT INTO public.submission VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-7c90-9ca5-b8f4cc9ce27a', '01a1f82f-1e80-77c7-99da-eabb8378033d', '01a1f82f-1e80-722a-acad-39f816b2f5d8', '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', 'shelf_audit', '1', '{"note":"ok"}', 1795165200000, 1795165260000, NULL, 1099511627785, '{"*":[1099511627785,1]}', NULL);

INSERT INTO public.visit VALUES ('01a1f82f-1e80-7432-9e7f-0564fa4d29c0', '01a1f82f-1e80-77c7-99da-eabb8378033d', '01a1f82f-1e80-722a-acad-39f816b2f5d8', '01a1f82f-1e80-7f3e-b3b3-01fd84d0f451', NULL, 1795165200000, 1795165260000, 'Europe/Paris', 'none', NULL, NULL, NULL, NULL, NULL, 1099511627785, '{"*":[1099511627785,1]}', NULL);

SELECT pg_catalog.setval('public.server_schema_version_seq', 1, false);

ALTER TABLE ONLY public.assortment
    ADD CONSTRAINT assortment_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.attachment
    ADD CONSTRAINT attachment_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.auth_account
    ADD CONSTRAINT auth_account_org_id_login_key UNIQUE (org_id, login);

ALTER TABLE ONLY public.auth_account
    ADD CONSTRAINT auth_account_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.auth_organisation
    ADD CONSTRAINT auth_organisation_code_key UNIQUE (code);

ALTER TABLE ONLY public.auth_organisation
    ADD CONSTRAINT auth_organisation_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY public.auth_quarantine
    ADD CONSTRAINT auth_quarantine_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.auth_session
    ADD CONSTRAINT auth_session_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.auth_token
    ADD CONSTRAINT auth_token_pkey PRIMARY KEY (org_id, hash);

ALTER TABLE ONLY public.blob
    ADD CONSTRAINT blob_pkey PRIMARY KEY (org_id, sha256);

ALTER TABLE ONLY public.blob_upload
    ADD CONSTRAINT blob_upload_pkey PRIMARY KEY (org_id, sha256);

ALTER TABLE ONLY public.bucket_digest
    ADD CONSTRAINT bucket_digest_pkey PRIMARY KEY (org_id, bucket);

ALTER TABLE ONLY public.bucket_grant
    ADD CONSTRAINT bucket_grant_pkey PRIMARY KEY (org_id, user_id, bucket);

ALTER TABLE ONLY public.bucket_row
    ADD CONSTRAINT bucket_row_pkey PRIMARY KEY (org_id, bucket, collection, id);

ALTER TABLE ONLY public.conflict
    ADD CONSTRAINT conflict_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT contact_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (org_id, device_no);

ALTER TABLE ONLY public.form
    ADD CONSTRAINT form_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.observation
    ADD CONSTRAINT observation_pkey PRIMARY KEY (org_id, submission_id, line);

ALTER TABLE ONLY public.op_result
    ADD CONSTRAINT op_result_pkey PRIMARY KEY (org_id, op_id);

ALTER TABLE ONLY public.org
    ADD CONSTRAINT org_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY public.org_rev
    ADD CONSTRAINT org_rev_pkey PRIMARY KEY (org_id);

ALTER TABLE ONLY public.outlet_alias
    ADD CONSTRAINT outlet_alias_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.outlet
    ADD CONSTRAINT outlet_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.outlet_source
    ADD CONSTRAINT outlet_source_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.plan
    ADD CONSTRAINT plan_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.plan_stop
    ADD CONSTRAINT plan_stop_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.review
    ADD CONSTRAINT review_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.sector_assignment
    ADD CONSTRAINT sector_assignment_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.sector_member
    ADD CONSTRAINT sector_member_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.sector
    ADD CONSTRAINT sector_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.server_schema
    ADD CONSTRAINT server_schema_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.submission
    ADD CONSTRAINT submission_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (org_id, id);

ALTER TABLE ONLY public.visit
    ADD CONSTRAINT visit_pkey PRIMARY KEY (org_id, id);

CREATE INDEX ix_attachment_outlet_id ON public.attachment USING btree (org_id, outlet_id);

CREATE INDEX ix_auth_quarantine_device ON public.auth_quarantine USING btree (org_id, device_no);

CREATE INDEX ix_auth_session_device ON public.auth_session USING btree (org_id, device_no);

CREATE INDEX ix_auth_token_expires ON public.auth_token USING btree (expires_at);

CREATE INDEX ix_auth_token_session ON public.auth_token USING btree (org_id, session_id);

CREATE INDEX ix_bucket_row_record ON public.bucket_row USING btree (org_id, collection, id);

CREATE INDEX ix_bucket_row_rev ON public.bucket_row USING btree (org_id, bucket, rev, collection, id);

CREATE INDEX ix_conflict_outlet_id ON public.conflict USING btree (org_id, outlet_id);

CREATE INDEX ix_contact_outlet_id ON public.contact USING btree (org_id, outlet_id);

CREATE INDEX ix_device_user ON public.device USING btree (org_id, user_id);

CREATE INDEX ix_note_outlet_id ON public.note USING btree (org_id, outlet_id);

CREATE INDEX ix_observation_outlet ON public.observation USING btree (org_id, outlet_id, product_id, observed_at);

CREATE INDEX ix_observation_time ON public.observation USING btree (org_id, observed_at, product_id);

CREATE INDEX ix_op_result_seq ON public.op_result USING btree (org_id, device_no, op_seq);

CREATE INDEX ix_outlet_alias_outlet_id ON public.outlet_alias USING btree (org_id, outlet_id);

CREATE INDEX ix_outlet_source_outlet_id ON public.outlet_source USING btree (org_id, outlet_id);

CREATE INDEX ix_plan_stop_plan_id ON public.plan_stop USING btree (org_id, plan_id);

CREATE INDEX ix_review_outlet_id ON public.review USING btree (org_id, outlet_id);

CREATE INDEX ix_sector_assignment_outlet_id ON public.sector_assignment USING btree (org_id, outlet_id);

CREATE INDEX ix_submission_outlet_id ON public.submission USING btree (org_id, outlet_id);

CREATE INDEX ix_task_outlet_id ON public.task USING btree (org_id, outlet_id);

CREATE INDEX ix_visit_outlet_id ON public.visit USING btree (org_id, outlet_id);

