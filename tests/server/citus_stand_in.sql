-- A stand-in for Citus, for tests alone: it spreads nothing. Its two functions make the checks that Citus documents
-- for tables that are to be distributed, and keep what they were asked in a table with the columns of citus_tables.
CREATE TABLE citus_tables (
    table_name regclass PRIMARY KEY, citus_table_type text NOT NULL, distribution_column text, colocation_id int
);
CREATE TABLE stand_in_calls (at serial, call text NOT NULL);

CREATE FUNCTION stand_in_check(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM citus_tables WHERE table_name = relation) THEN
        RAISE EXCEPTION 'table "%" is already distributed', relation;
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = relation) <> 'r' THEN
        RAISE EXCEPTION '"%" is not a regular table', relation;
    END IF;
    IF EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = relation AND NOT tgisinternal) THEN
        RAISE EXCEPTION 'cannot distribute relation "%" because it has triggers', relation;
    END IF;
    IF EXISTS (SELECT 1 FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
               WHERE a.attrelid = relation AND (pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' OR a.attidentity <> '')) THEN
        RAISE EXCEPTION 'relation "%" takes values from a sequence', relation;
    END IF;
END $$;

CREATE FUNCTION create_reference_table(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM stand_in_check(relation);
    INSERT INTO citus_tables VALUES (relation, 'reference', NULL, 0);
    INSERT INTO stand_in_calls (call) VALUES (format('reference %s', relation));
END $$;

CREATE FUNCTION create_distributed_table(
    relation regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    position smallint;
    kind oid;
    index record;
    key record;
    beside record;
    group_id int;
BEGIN
    PERFORM stand_in_check(relation);
    SELECT attnum, atttypid INTO position, kind FROM pg_attribute
        WHERE attrelid = relation AND attname = distribution_column AND NOT attisdropped;
    IF position IS NULL THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', distribution_column, relation;
    END IF;
    FOR index IN SELECT i.indexrelid::regclass AS name, i.indkey FROM pg_index i
                 WHERE i.indrelid = relation AND (i.indisunique OR i.indisexclusion) LOOP
        IF NOT position = ANY (index.indkey::smallint[]) THEN
            RAISE EXCEPTION 'cannot create constraint on "%"', relation
                USING DETAIL = format('%s does not include the distribution column', index.name);
        END IF;
    END LOOP;
    FOR key IN SELECT conname, conkey, confrelid::regclass AS target FROM pg_constraint
               WHERE conrelid = relation AND contype = 'f' LOOP
        IF NOT EXISTS (SELECT 1 FROM citus_tables WHERE table_name = key.target)
           OR (EXISTS (SELECT 1 FROM citus_tables WHERE table_name = key.target AND citus_table_type = 'distributed')
               AND NOT position = ANY (key.conkey)) THEN
            RAISE EXCEPTION 'cannot create foreign key constraint % of "%"', key.conname, relation;
        END IF;
    END LOOP;
    IF colocate_with = 'none' THEN
        SELECT coalesce(max(colocation_id), 0) + 1 INTO group_id FROM citus_tables;
    ELSE
        SELECT t.colocation_id, a.atttypid INTO beside FROM citus_tables t
            JOIN pg_attribute a ON a.attrelid = t.table_name AND a.attname = t.distribution_column
            WHERE t.table_name = colocate_with::regclass AND t.citus_table_type = 'distributed';
        IF beside IS NULL THEN
            RAISE EXCEPTION 'relation "%" is not distributed', colocate_with;
        END IF;
        IF beside.atttypid <> kind THEN
            RAISE EXCEPTION 'cannot colocate tables % and %', colocate_with, relation
                USING DETAIL = 'Distribution column types don''t match';
        END IF;
        IF shard_count IS NOT NULL THEN
            RAISE EXCEPTION 'Cannot use colocate_with with a table and shard_count at the same time';
        END IF;
        group_id := beside.colocation_id;
    END IF;
    INSERT INTO citus_tables VALUES (relation, 'distributed', distribution_column, group_id);
    INSERT INTO stand_in_calls (call) VALUES (format('distributed %s beside %s', relation, colocate_with));
END $$;

CREATE FUNCTION truncate_local_data_after_distributing_table(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM citus_tables WHERE table_name = relation) THEN
        RAISE EXCEPTION 'supplied parameter is not a distributed relation';
    END IF;
    INSERT INTO stand_in_calls (call) VALUES (format('emptied %s', relation));
END $$;
