from django.core.management import call_command
from django.db import migrations


def create_cache_table(apps, schema_editor):
    """Creates the table of the cache, which counts rate limits, unless CACHE_URL sets another cache."""
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("teams", "0001_initial")]

    operations = [migrations.RunPython(create_cache_table, migrations.RunPython.noop)]
