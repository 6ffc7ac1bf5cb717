-- What a platform does for an organisation: its database, and a role for each that logs in. For docker-compose.yml only.
create role datadeling_skriver nologin;
create role datadeling_leser nologin;
create role datadeling_revisor nologin;
create role nav_migrering login createrole password 'lokal';
create role nav_ingestor login password 'lokal' in role datadeling_skriver;
create role nav_query_api login password 'lokal' in role datadeling_leser;
create role nav_revisor login password 'lokal' in role datadeling_revisor;
create database tiltak_nav owner nav_migrering;
revoke all on database tiltak_nav from public;
grant connect on database tiltak_nav to nav_ingestor, nav_query_api, nav_revisor;
